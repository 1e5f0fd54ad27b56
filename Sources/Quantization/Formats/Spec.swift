/// format[/activation][+refinement...]: how a group of tensors is stored, multiplied and adapted, such as `u4g32/int8+clip`.
package struct Spec: Hashable, Sendable {
    package var format: Format
    package var activation: Activation
    /// In the order given. Empty leaves the choice to the search.
    package var refinements: [Refinement]

    /// A SPEC of these parts; the format's own activation where none is given.
    package init(_ format: Format, activation: Activation? = nil, refinements: [Refinement] = []) {
        self.format = format
        self.activation = activation ?? format.defaultActivation
        self.refinements = refinements
    }
}

extension Spec: CustomStringConvertible {
    /// The shortest SPEC that means this: the activation is left out where it is the format's own.
    package var description: String {
        let input = activation == format.defaultActivation ? "" : "/\(activation.rawValue)"
        return "\(format)\(input)" + refinements.map { "+\($0.rawValue)" }.joined()
    }

    /// Parses a SPEC. Throws an error that names the nearest valid word, or says that a part is not available yet.
    package init(parsing text: String) throws(QuantizationError) {
        let parts = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        let head = parts[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let format = try Format(parsing: head[0])
        var activation: Activation?
        if head.count > 1 { activation = try Self.activation(head[1], for: format) }
        var refinements: [Refinement] = []
        for name in parts.dropFirst() {
            let refinement = try Self.refinement(name, for: format)
            guard !refinements.contains(refinement) else {
                throw QuantizationError(
                    .unknownName, place: "SPEC \(text.quoted)", "\(name) stands there twice; write it once")
            }
            refinements.append(refinement)
        }
        self.init(format, activation: activation, refinements: refinements)
    }

    private static func activation(_ name: String, for format: Format) throws(QuantizationError) -> Activation {
        let place = "activation \(name.quoted)"
        let legal = format.legalActivations
        guard let activation = Activation(rawValue: name), legal.contains(activation) else {
            let nearest = name.nearest(among: legal.map(\.rawValue))
            throw QuantizationError(
                .unknownName, place: place, "\(format) has no such activation; the nearest is \(nearest)")
        }
        return activation
    }

    private static func refinement(_ name: String, for format: Format) throws(QuantizationError) -> Refinement {
        let place = "refinement \(name.quoted)"
        guard let refinement = Refinement(rawValue: name) else {
            let nearest = name.nearest(among: Refinement.allCases.filter(\.isAvailable).map(\.rawValue))
            throw QuantizationError(
                .unknownName, place: place, "there is no such refinement; the nearest is \(nearest)")
        }
        guard refinement.isAvailable else {
            throw QuantizationError(.notAvailable, place: place, "not available yet; leave it out, or write +clip")
        }
        guard format != .float16 else {
            throw QuantizationError(
                .unknownName, place: place, "f16 is not quantized and takes no refinement; leave it out")
        }
        return refinement
    }
}
