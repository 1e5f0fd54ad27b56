import Compute
import Reference

/// Keeps all that a Fisher sweep shows.
struct Recorder: FisherVisitor {
    struct Site {
        let layer: Int
        let group: LayerGroup
        let inputs: Matrix
        let outputGradients: Matrix
    }

    private(set) var sites: [Site] = []
    private(set) var hidden: Matrix?
    private(set) var embedding: Matrix?

    mutating func visitHead(hidden: Matrix) {
        self.hidden = hidden
    }

    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) {
        sites.append(Site(layer: layer, group: group, inputs: inputs, outputGradients: outputGradients))
    }

    mutating func visitEmbedding(outputGradients: Matrix) {
        embedding = outputGradients
    }
}
