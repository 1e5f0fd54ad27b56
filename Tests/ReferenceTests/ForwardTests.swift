import Compute
import ModelFiles
import Reference
import Testing

/// Against transformers in float32. Both sides round each of some hundred operations on a path to 2^-24: independent
/// errors come to about 1e-6 of the largest value; an error in a formula is a thousand times larger.
let roundingTolerance: Float = 5e-6

@Suite struct ForwardTests {
    @Test(arguments: GoldenFile.Kind.allCases) func logitsAreTransformers(kind: GoldenFile.Kind) throws {
        let weights = try GoldenFile("weights")
        let golden = try GoldenFile(kind.rawValue)
        let model = try weights.model(kind.configuration)
        let hidden = try model.hidden(sequences: weights.sequences)
        #expect(model.head(hidden).distance(from: try golden.tensor("logits")) < roundingTolerance)
    }

    @Test func scaledRotaryFrequenciesAreTransformers() throws {
        let weights = try GoldenFile("weights")
        var configuration = GoldenFile.configuration(tied: true)
        configuration.rotaryDivisors = weights.divisors
        let model = try weights.model(configuration)
        let logits = model.head(try model.hidden(sequences: weights.sequences))
        #expect(logits.distance(from: try GoldenFile("scaled").tensor("logits")) < roundingTolerance)
        #expect(logits.distance(from: try GoldenFile("tied").tensor("logits")) > 1e-3)
    }

    /// Rows of q and k in Hugging Face's own order rotate in halves.
    @Test func bothRotaryPairingsAgree() throws {
        let weights = try GoldenFile("weights")
        var configuration = GoldenFile.configuration(tied: true)
        configuration.rotaryPairing = .halves
        let model = try ReferenceModel(configuration: configuration, pool: ThreadPool(threads: 2)) { name in
            let matrix = try weights.tensor(name)
            guard name.contains("attn_q") || name.contains("attn_k") else { return matrix }
            let order = (0..<matrix.rows).map { row in
                let (head, place) = (row / 16, row % 16)
                return head * 16 + (place % 8) * 2 + place / 8
            }
            return Matrix(rows: matrix.rows, columns: matrix.columns, values: order.flatMap { matrix[row: $0] })
        }
        let logits = model.head(try model.hidden(sequences: weights.sequences))
        #expect(logits.distance(from: try GoldenFile("tied").tensor("logits")) < roundingTolerance)
    }

    @Test func logitsOfRowsAreRowsOfTheLogits() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        let all = model.head(try model.hidden(tokens: weights.sequences[0]))
        let some = try model.logits(tokens: weights.sequences[0], rows: 5..<9)
        #expect(some.values == Array(all.values[5 * 96..<9 * 96]))
    }

    @Test func replacedMatricesTakeEffectAndTheOriginalStays() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        let before = try model.hidden(tokens: [1, 2, 3])
        for name in TensorName.all(of: model.configuration) {
            let shape = try #require(TensorName.shape(of: name, in: model.configuration))
            let zeros = Matrix(rows: shape.rows, columns: shape.columns)
            let replaced = try model.replacing([name: zeros])
            let direct = try ReferenceModel(configuration: model.configuration, pool: model.pool) {
                $0 == name ? zeros : try weights.tensor($0)
            }
            let logits = replaced.head(try replaced.hidden(tokens: [1, 2, 3]))
            #expect(logits == direct.head(try direct.hidden(tokens: [1, 2, 3])))
            #expect(logits != model.head(before))
        }
        #expect(try model.hidden(tokens: [1, 2, 3]) == before)
    }

    @Test func badInputIsNamed() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(message { _ = try model.hidden(tokens: [1, 96]) }.hasPrefix("sequence 0, position 1: token 96"))
        #expect(message { _ = try model.hidden(tokens: [-1]) }.contains("token -1"))
        #expect(message { _ = try model.hidden(sequences: [[1], []]) }.hasPrefix("sequence 1: "))
        #expect(message { _ = try model.logits(tokens: [1], rows: 0..<2) }.hasPrefix("rows 0..<2"))
        #expect(message { _ = try model.replacing(["blk.9.attn_q.weight": Matrix(rows: 1, columns: 1)]) } != "")
        #expect(
            message { _ = try model.replacing(["token_embd.weight": Matrix(rows: 95, columns: 64)]) }
                .contains("95 x 64 instead of 96 x 64"))
        var configuration = model.configuration
        configuration.heads = 3
        #expect(message { _ = try weights.model(configuration) }.hasPrefix("configuration: "))
    }
}
