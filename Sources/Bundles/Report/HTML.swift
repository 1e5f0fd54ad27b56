internal import Foundation

/// Text made safe for a page, and numbers made readable on it.
enum HTML {
    /// `text` with the characters that mean something in HTML replaced.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
        return result
    }

    /// `value` with `digits` significant digits.
    static func number(_ value: Double, digits: Int = 4) -> String {
        String(format: "%.\(digits)g", value)
    }

    /// A count with thousands separated.
    static func count(_ value: Int) -> String {
        var digits = Array(String(abs(value)))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// A quantity in the unit of a verdict.
    static func quantity(_ value: Double, unit: String) -> String {
        switch unit {
        case "B": "\(count(Int(value))) B"
        case "s": value < 1 ? "\(number(value * 1e3, digits: 3)) ms" : "\(number(value, digits: 3)) s"
        case "J": "\(number(value, digits: 3)) J"
        case "nats": "\(number(value)) nats"
        default: number(value)
        }
    }
}
