internal import Foundation

extension Tokenizer {
    /// The tokens of `text`.
    ///
    /// - Parameters:
    ///   - parsingSpecial: Whether text such as `<|endoftext|>` means the control token, or just these characters.
    ///   - addingBeginOfText: False leaves `beginOfText` off for a tokenizer that adds it.
    package func encode(
        _ text: String, parsingSpecial: Bool = false, addingBeginOfText: Bool = true
    ) -> [Int32] {
        let bytes = Array(text.utf8)
        var encoder = BytePairEncoder(tokenizer: self, bytes: bytes.count)
        if addsBeginOfText, addingBeginOfText, let beginOfText { encoder.append(token: beginOfText) }

        var start = 0
        if !added.isEmpty(includingControl: parsingSpecial) {
            var position = 0
            while position < bytes.count {
                if let token = added.token(at: position, of: bytes, includingControl: parsingSpecial, in: tokens) {
                    append(bytes[start..<position], to: &encoder)
                    encoder.append(token: token)
                    position += tokens[token].count
                    start = position
                } else {
                    position += 1
                }
            }
        }
        append(bytes[start...], to: &encoder)
        return encoder.output
    }

    /// The text of `tokens`, control tokens included; where their bytes are not valid UTF-8, U+FFFD stands.
    package func decode(_ tokens: [Int32]) -> String {
        var bytes: [UInt8] = []
        for token in tokens where token >= 0 && token < count { bytes += self.tokens[token] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(_ segment: ArraySlice<UInt8>, to encoder: inout BytePairEncoder) {
        if composesText, segment.contains(where: { $0 >= 0x80 }) {
            let composed = String(decoding: segment, as: UTF8.self).precomposedStringWithCanonicalMapping
            encoder.append(text: Array(composed.utf8)[...])
        } else {
            encoder.append(text: segment)
        }
    }
}
