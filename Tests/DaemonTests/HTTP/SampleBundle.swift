import Foundation

/// A small bundle on disk: a manifest with everything in it, weights of known bytes, true checksums.
enum SampleBundle {
    /// Writes the bundle to `directory`.
    static func write(to directory: String, model: String = "a", profile: String = "p") throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let files = [
            "bundle.json": manifest(model: model, profile: profile), "report.html": "<!doctype html><p>report",
            "model.safetensors": String(repeating: "0123456789", count: 1000),
        ]
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)")) }
        _ = try Shell.run("cd '\(directory)' && sha256sum * > .sums && mv .sums SHA256SUMS")
    }

    private static func manifest(model: String, profile: String) -> String {
        """
        {"fettle":"0.1.0","schema":1,
         "model":{"name":"\(model)","digest":"aa","architecture":"llama","parameters":100,"file_type":"F16"},
         "profile":{"name":"\(profile)","digest":"bb","runtime":"fettle","resolved":{"memory":{"context":16}}},
         "plan":{"kv":{"format":"int8","sensitivity":0.001,"resident_bytes":64},
                 "groups":[{"name":"blk.0.attn_qkv","tensors":["t"],"format":"u4g32","activation":"int8g32","refinement":"",
                   "sensitivity":0.01,"resident_bytes":10,"stored_bytes":10,"prefill_seconds":0,"decode_seconds":0,
                   "joules":0,"why":"cheapest"}]},
         "verdicts":[{"constraint":"memory.storage","goal":20000,"predicted":10000,"measured":10000,"unit":"B","met":true}],
         "quality":{"kl":0.0125,"kl_interval":[0.01,0.015],"predicted_kl":0.012,"perplexity":10,
           "reference_perplexity":9.8,"top1":0.9,"tokens":100,"text":"self-written","text_digest":"dd","mode":"dynamic"},
         "baselines":{},
         "certificate":{"objective":"sensitivity","value":0.011,"bound":0.011,"gap":0},
         "exchanges":[],
         "shadow_prices":{"memory":0,"storage":1e-8,"prefill":0,"decode":0,"energy":0},
         "pareto_front":[{"stored_bytes":9000,"resident_bytes":9000,"decode_seconds":0,"predicted_kl":0.02},
           {"stored_bytes":10000,"resident_bytes":10000,"decode_seconds":0,"predicted_kl":0.011}],
         "lossless_formats":[],"missing_parameters":[],
         "provenance":{"command":["fettle"],"seed":0,"calibration":{"source":"self-written","digest":"dd","tokens":1},
           "versions":{},"started":"2026-01-01T00:00:00Z","seconds":1,"stages":{},"cut_short":false}}
        """
    }
}
