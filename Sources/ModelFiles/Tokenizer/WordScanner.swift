/// Cuts text into the words within which byte pairs merge: the regular expressions of four pre-tokenizers, by hand.
///
/// Words follow each other without gaps. `gpt2` and `smollm` are GPT-2's expression
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// where `smollm` first cuts out each number character, so that words end at it as at the end of the text. `llama3` and
/// `qwen2` are
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
///
/// with `\p{N}` in place of `\p{N}{1,3}` for `qwen2`.
package struct WordScanner {
    private let preTokenizer: Tokenizer.PreTokenizer

    /// A scanner that cuts as `preTokenizer` does.
    package init(preTokenizer: Tokenizer.PreTokenizer) { self.preTokenizer = preTokenizer }

    /// The end of the word that begins at `start`; `text` is valid UTF-8, and `start` a character's first byte in it.
    package func endOfWord(_ text: [UInt8], from start: Int) -> Int {
        if text[start] == UInt8(ascii: "'"), let end = endOfContraction(text, from: start) { return end }
        return switch preTokenizer {
        case .gpt2, .smollm: endOfGPT2Word(text, from: start)
        case .llama3: endOfLlama3Word(text, from: start, longestNumber: 3)
        case .qwen2: endOfLlama3Word(text, from: start, longestNumber: 1)
        }
    }

    private func endOfGPT2Word(_ text: [UInt8], from start: Int) -> Int {
        let body = startBehindSpace(text, from: start)
        let (first, end) = CharacterClass.read(text, at: body)
        switch first {
        case .letter, .other: return endOfRun(of: first, text, from: end)
        case .number where preTokenizer == .gpt2: return endOfRun(of: first, text, from: end)
        case .number where body == start: return end
        case .number, .space, .lineBreak: return endOfSpaces(text, from: start)
        }
    }

    private func endOfLlama3Word(_ text: [UInt8], from start: Int, longestNumber: Int) -> Int {
        let (first, second) = CharacterClass.read(text, at: start)
        switch first {
        case .letter: return endOfRun(of: .letter, text, from: second)
        case .number: return endOfRun(of: .number, text, from: second, atMost: longestNumber - 1)
        case .lineBreak: break
        case .space, .other:
            if second < text.count, CharacterClass.read(text, at: second).class == .letter {
                return endOfRun(of: .letter, text, from: second)
            }
        }
        let body = startBehindSpace(text, from: start)
        if CharacterClass.read(text, at: body).class == .other {
            return endOfRun(of: .lineBreak, text, from: endOfRun(of: .other, text, from: body))
        }
        return endOfLines(text, from: start) ?? endOfSpaces(text, from: start)
    }

    /// ` ?`: the position behind a space that something follows.
    private func startBehindSpace(_ text: [UInt8], from start: Int) -> Int {
        text[start] == UInt8(ascii: " ") && start + 1 < text.count ? start + 1 : start
    }

    /// The end of at most `atMost` characters of `wanted` from `start` on.
    private func endOfRun(of wanted: CharacterClass, _ text: [UInt8], from start: Int, atMost: Int = .max) -> Int {
        var end = start
        var count = 0
        while end < text.count, count < atMost {
            let (found, next) = CharacterClass.read(text, at: end)
            guard found == wanted else { break }
            end = next
            count += 1
        }
        return end
    }

    /// `\s*[\r\n]+`: behind the last line break of the spaces at `start`; nil where there is none.
    private func endOfLines(_ text: [UInt8], from start: Int) -> Int? {
        var position = start
        var end: Int?
        while position < text.count {
            let (found, next) = CharacterClass.read(text, at: position)
            guard found.isSpace else { break }
            if found == .lineBreak { end = next }
            position = next
        }
        return end
    }

    /// `\s+(?!\S)|\s+`: the spaces at `start`, the last of which is left to the word that follows them.
    private func endOfSpaces(_ text: [UInt8], from start: Int) -> Int {
        var last = start
        var end = start
        while end < text.count {
            let (found, next) = CharacterClass.read(text, at: end)
            guard found.isSpace else {
                let isCutBefore = preTokenizer == .smollm && found == .number
                return last > start && !isCutBefore ? last : end
            }
            last = end
            end = next
        }
        return end
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`, in Llama 3's and Qwen2's expression in either case.
    private func endOfContraction(_ text: [UInt8], from start: Int) -> Int? {
        let foldsCase = preTokenizer == .llama3 || preTokenizer == .qwen2
        func letter(_ offset: Int) -> Unicode.Scalar? {
            guard start + offset < text.count else { return nil }
            let byte = text[start + offset]
            guard byte < 0x80 else { return nil }
            return Unicode.Scalar(foldsCase ? byte | 0x20 : byte)
        }
        switch letter(1) {
        case "s", "t", "m", "d": return start + 2
        case "r" where letter(2) == "e", "v" where letter(2) == "e", "l" where letter(2) == "l": return start + 3
        case nil where foldsCase && text[start...].starts(with: "'ſ".utf8):
            // Folding case, the long s is an s.
            return start + 3
        default: return nil
        }
    }
}
