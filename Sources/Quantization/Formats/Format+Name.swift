extension Format: CustomStringConvertible {
    /// The short name: `u4g32`, `k4g64r16`, `k5ce36`, `f16`, `q4_0`.
    package var description: String {
        switch self {
        case .float16: "f16"
        case .grid(let format): format.description
        case .block(let format): format.rawValue
        }
    }

    /// The format that `name` is the short name of. Throws an error that names the nearest one.
    package init(parsing name: String) throws(QuantizationError) {
        if name == "f16" {
            self = .float16
        } else if let block = BlockFormat(rawValue: name) {
            self = .block(block)
        } else if let grid = GridFormat(parsing: name) {
            self = .grid(grid)
        } else {
            throw QuantizationError(
                .unknownName, place: "format \(name.quoted)",
                "there is no such format; the nearest is \(name.nearest(among: Self.usual.map(\.description)))")
        }
    }

    /// Every format with the usual groups: what a mistyped name is compared with.
    package static let usual: [Format] =
        GridFormat.usual.map(Format.grid) + BlockFormat.allCases.map(Format.block) + [.float16]
}

extension GridFormat: CustomStringConvertible {
    package var description: String {
        let suffix = (rowBlockCodebooks ? "r16" : "") + (indexRate.map { "e\($0)" } ?? "")
        return switch granularity {
        case .tensor: "\(grid.rawValue)\(bits)t\(suffix)"
        case .channel: "\(grid.rawValue)\(bits)c\(suffix)"
        case .group(let size): "\(grid.rawValue)\(bits)g\(size)\(suffix)"
        }
    }

    /// The grid format of that name. Nil where there is none.
    fileprivate init?(parsing name: String) {
        guard name.utf8.count <= 16, let grid = name.first.flatMap({ Grid(rawValue: String($0)) }),
            let bits = name.dropFirst().first?.wholeNumberValue
        else { return nil }
        var rest = name.dropFirst(2)
        var indexRate: Int?
        if let mark = rest.lastIndex(of: "e") {
            guard let rate = Int(rest[rest.index(after: mark)...]) else { return nil }
            indexRate = rate
            rest = rest[..<mark]
        }
        let rowBlocks = rest.hasSuffix("r16")
        rest = rest.dropLast(rowBlocks ? 3 : 0)
        let granularity: Granularity
        switch rest {
        case "t": granularity = .tensor
        case "c": granularity = .channel
        default:
            guard rest.first == "g", let size = Int(rest.dropFirst()) else { return nil }
            granularity = .group(size)
        }
        self.init(grid, bits: bits, granularity, rowBlockCodebooks: rowBlocks, indexRate: indexRate)
        // The way back excludes second spellings, such as g032 and g+32.
        guard isValid, description == name else { return nil }
    }

    /// Every grid format with the usual groups.
    package static let usual: [GridFormat] = Grid.allCases.flatMap { grid in
        grid.validBits.flatMap { bits in
            [.tensor, .channel, .group(32), .group(64), .group(128), .group(256)].flatMap { granularity in
                (grid == .codebook ? [false, true] : [false]).map { rowBlocks in
                    GridFormat(grid, bits: bits, granularity, rowBlockCodebooks: rowBlocks)
                }
            }
        }
    }
}
