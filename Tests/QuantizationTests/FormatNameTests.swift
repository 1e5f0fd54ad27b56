import ModelFiles
import Quantization
import Testing

/// Short names and SPECs: what is written must be what is read, and what is not understood must be explained.
@Suite struct FormatNameTests {
    @Test func everyFormatIsReadBackFromItsName() throws {
        // 2 * 7 * 6 grids of integers, 7 * 6 * 2 codebooks, 2 * 3 * 6 of powers of two and sums of two, 11 block types and f16.
        #expect(Set(Format.usual.map(\.description)).count == 216)
        for format in Format.usual {
            #expect(try Format(parsing: format.description) == format)
        }
    }

    @Test(arguments: [
        ("u4g32", Format.grid(GridFormat(.uniform, bits: 4, .group(32)))),
        ("a4g64", .grid(GridFormat(.affine, bits: 4, .group(64)))),
        ("k4t", .grid(GridFormat(.codebook, bits: 4, .tensor))),
        ("k4c", .grid(GridFormat(.codebook, bits: 4, .channel))),
        ("k3g128", .grid(GridFormat(.codebook, bits: 3, .group(128)))),
        ("k4g64r16", .grid(GridFormat(.codebook, bits: 4, .group(64), rowBlockCodebooks: true))),
        ("k8t", .grid(GridFormat(.codebook, bits: 8, .tensor))),
        ("k4g64e36", .grid(GridFormat(.codebook, bits: 4, .group(64), indexRate: 36))),
        ("k8te10", .grid(GridFormat(.codebook, bits: 8, .tensor, indexRate: 10))),
        ("l4c", .grid(GridFormat(.log2, bits: 4, .channel))),
        ("p5g64", .grid(GridFormat(.twoPowers, bits: 5, .group(64)))),
        ("u8t", .grid(GridFormat(.uniform, bits: 8, .tensor))),
        ("u4g96", .grid(GridFormat(.uniform, bits: 4, .group(96)))),
        ("f16", .float16),
        ("q4_0", .block(.q4_0)),
        ("q6_k", .block(.q6_k)),
        ("iq4_nl", .block(.iq4_nl)),
    ])
    func namesOfTheDesign(name: String, format: Format) throws {
        #expect(try Format(parsing: name) == format)
        #expect(format.description == name)
    }

    @Test(arguments: [
        ("u4g23", "u4g32"), ("q4-0", "q4_0"), ("fp16", "f16"), ("iq4nl", "iq4_nl"), ("u4g32r16", "k4g32r16"),
        ("u9g32", "u2g32"), ("k9t", "k2t"), ("k4ce40", "k4c"), ("k4ce9", "k4c"), ("u4ce36", "u4c"),
        ("k4tr16e36", "k4tr16"), ("l5c", "u5c"), ("U4G32", "u4g32"), ("u4g032", "u4g32"),
        ("u4g+32", "u4g32"),
        ("u4", "u4t"), ("u4g", "u4t"), ("u4g0", "u4t"), ("u4g-32", "u4g32"), ("u4g8192", "u4g32"), ("", "u2t"),
        ("u4g99999999999999999999", "u4g32"),
    ])
    func aWrongNameIsAnsweredWithTheNearest(name: String, nearest: String) throws {
        let error = try #require(throws: QuantizationError.self) { try Format(parsing: name) }
        #expect(error.code == .unknownName)
        #expect(error.description.hasPrefix("format \""))
        #expect(error.description.hasSuffix("the nearest is \(nearest)"))
    }

    @Test func aHostileNameIsCutInTheError() throws {
        let error = try #require(throws: QuantizationError.self) {
            try Format(parsing: String(repeating: "u4g32", count: 100_000))
        }
        #expect(error.description.utf8.count < 200)
    }

    @Test func partsOfASpec() throws {
        let spec = try Spec(parsing: "u4g32/int8+clip")
        #expect(spec == Spec(.grid(GridFormat(.uniform, bits: 4, .group(32))), activation: .int8, refinements: [.clip]))
        #expect(spec.description == "u4g32/int8+clip")
    }

    @Test(arguments: [
        ("u4g32", Activation.int8g32), ("q4_0", .q8_0), ("q5_1", .q8_0), ("iq4_nl", .q8_0), ("q6_k", .q8_k),
        ("q2_k", .q8_k), ("f16", .float),
    ])
    func aSpecWithoutActivationTakesTheFormats(name: String, activation: Activation) throws {
        let spec = try Spec(parsing: name)
        #expect(spec.activation == activation)
        #expect(spec.description == name)
        #expect(try Spec(parsing: "\(name)/\(activation.rawValue)") == spec)
    }

    @Test(arguments: [
        ("u4g32+qat", "refinement \"qat\": not available yet"),
        ("u4g32+clib", "the nearest is clip"),
        ("u4g32+", "there is no such refinement"),
        ("u4g32+clip+clip", "twice"),
        ("u4g32/int9", "the nearest is int8"),
        ("u4g32/q8_0", "u4g32 has no such activation"),
        ("q4_0/int8", "q4_0 has no such activation; the nearest is"),
        ("f16+clip", "takes no refinement"),
        ("u4g32/", "has no such activation"),
        ("/int8", "the nearest is"),
        ("+clip", "the nearest is"),
    ])
    func aWrongSpecIsExplained(text: String, part: String) throws {
        let error = try #require(throws: QuantizationError.self) { try Spec(parsing: text) }
        #expect(error.description.contains(part), "\(error)")
    }
}
