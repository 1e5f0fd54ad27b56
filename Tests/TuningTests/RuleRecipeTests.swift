import Foundation
import ModelFiles
import Quantization
import Testing
import Tuning

/// llama.cpp's presets against what llama-quantize itself writes (Tests/Fixtures/scripts/recipes.py).
struct RuleRecipeTests {
    @Test(arguments: RuleRecipe.all.map(\.name))
    func takesTheTypesThatLlamaQuantizeTakes(name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/tuning/recipes.json")
        let golden = try JSONDecoder().decode([String: [String: String]].self, from: Data(contentsOf: file))
        let types = try #require(golden[name])
        let recipe = try #require(RuleRecipe.all.first { $0.name == name })
        let groups = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: false)
        #expect(groups.count == types.count)
        for group in groups {
            let format = recipe.format(of: group, layers: ChoiceCatalogTests.smollm.layers)
            #expect(format?.description == types[group.tensors[0].name], "\(group.name)")
        }
    }
}
