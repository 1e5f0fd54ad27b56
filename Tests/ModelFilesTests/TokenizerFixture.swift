import Foundation
import ModelFiles
import Testing

/// Tokenizers under Tests/Fixtures and what `tokenizers` makes of texts with them (scripts/tokenizer.py).
enum TokenizerFixture: String, CaseIterable, CustomTestStringConvertible {
    case gpt2, smollm, llama3, qwen2, bard

    /// What `tokenizers` makes of one text.
    struct Golden {
        let text: String
        /// Where control tokens in the text are control tokens.
        let ids: [Int32]
        /// Where they are plain text.
        let plain: [Int32]
        /// Ends of the pre-tokenizer's words, in bytes.
        let wordEnds: [Int]
    }

    var testDescription: String { rawValue }

    /// Path of the tokenizer.json.
    var path: String {
        self == .bard ? Self.path("../bard/tokenizer.json") : Self.path("\(rawValue).json")
    }

    var preTokenizer: Tokenizer.PreTokenizer {
        switch self {
        case .gpt2, .bard: .gpt2
        case .smollm: .smollm
        case .llama3: .llama3
        case .qwen2: .qwen2
        }
    }

    func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    func tokenizer() throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: bytes(), configuration: nil, beginOfText: nil, endOfText: nil, file: path)
    }

    func golden() throws -> [Golden] {
        let texts = try #require(try JSON(path: Self.path("texts.json")).elements)
        let rows = try #require(try JSON(path: Self.path("\(rawValue)-golden.json")).elements)
        try #require(texts.count == rows.count && texts.count > 300)
        return try zip(texts, rows).map { text, row in
            let columns = try #require(row.elements)
            let ids = try #require(columns[0].elements).map { Int32(try #require($0.integer)) }
            let plain = try columns[1].elements?.map { Int32(try #require($0.integer)) }
            let ends = try #require(columns[2].elements).map { try #require($0.integer) }
            return Golden(text: try #require(text.string), ids: ids, plain: plain ?? ids, wordEnds: ends)
        }
    }

    /// Path of a file of Tests/Fixtures/tokenizer.
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/tokenizer/\(name)").standardizedFileURL.path
    }
}
