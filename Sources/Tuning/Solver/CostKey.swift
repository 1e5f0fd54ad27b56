/// What a choice adds to a plan; raw values are the keys of `fettle tune --problem`.
package enum CostKey: String, CaseIterable, Codable, Sendable {
    /// KL divergence, nats per token.
    case sensitivity
    /// Bytes in memory.
    case resident
    /// Bytes of the weights file.
    case stored
    /// Seconds of the prompt's prefill.
    case prefill
    /// Seconds per decoded token.
    case decode
    /// Joules per decoded token.
    case energy

    /// The unit of a quantity of this kind.
    package var unit: String {
        switch self {
        case .sensitivity: "nats"
        case .resident, .stored: "B"
        case .prefill, .decode: "s"
        case .energy: "J"
        }
    }
}

/// One number for each cost key. Byte counts are whole numbers below 2^53, hence exact.
package struct Costs: Sendable, Equatable, Codable {
    package var sensitivity: Double
    package var resident: Double
    package var stored: Double
    package var prefill: Double
    package var decode: Double
    package var energy: Double

    package init(
        sensitivity: Double = 0, resident: Double = 0, stored: Double = 0, prefill: Double = 0, decode: Double = 0,
        energy: Double = 0
    ) {
        self.sensitivity = sensitivity
        self.resident = resident
        self.stored = stored
        self.prefill = prefill
        self.decode = decode
        self.energy = energy
    }

    /// The number under `key`.
    package subscript(key: CostKey) -> Double {
        get {
            switch key {
            case .sensitivity: sensitivity
            case .resident: resident
            case .stored: stored
            case .prefill: prefill
            case .decode: decode
            case .energy: energy
            }
        }
        set {
            switch key {
            case .sensitivity: sensitivity = newValue
            case .resident: resident = newValue
            case .stored: stored = newValue
            case .prefill: prefill = newValue
            case .decode: decode = newValue
            case .energy: energy = newValue
            }
        }
    }

    /// Adds key by key.
    package static func += (left: inout Costs, right: Costs) {
        for key in CostKey.allCases { left[key] += right[key] }
    }
}
