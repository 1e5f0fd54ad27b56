#if arch(x86_64)
    import Foundation
    import Testing

    @Suite("No floating-point instruction in integer-only execution")
    struct FloatFreeTests {
        /// The objects that this very test program was linked from.
        private static func object(_ name: String) throws -> String {
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let objects = URL(fileURLWithPath: program).deletingLastPathComponent().appending(path: "CKernels.build")
            return objects.appending(path: "\(name).c.o").path()
        }

        @Test(
            "from a token's id to the arg max, on each instruction set",
            arguments: ["Integer_scalar", "Integer_avx2", "Integer_avx512"])
        func isFree(object: String) throws {
            let scan = try FloatScan(objects: [Self.object(object), Self.object("ThreadPool")])
            let reached = try scan.reachable(from: "run_integer")
            // The region is reached through its address, the pool through calls; products of 7 packings alone are thousands of
            // instructions.
            #expect(reached.isSuperset(of: ["run_chunk", "fettle_pool_run", "fettle_pool_barrier"]))
            #expect(try scan.instructions(from: "run_integer") > 10_000)
            #expect(try scan.floats(from: "run_integer") == [])
            // The same objects hold the kernels of dynamic execution: the scan does see floats.
            #expect(try !scan.floats(from: "quantize").isEmpty)
        }

        @Test("one put in is found, and one that is not reached is not", arguments: ["called", "never"])
        func seesOne(caller: String) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = folder.appending(path: "planted.c")
            try """
            __attribute__((noinline)) static int called(int x) { return x * 3; }
            __attribute__((noinline, used)) static int never(int x) { return x * 5; }
            __attribute__((noinline)) static int \(caller)_by(float f, int x) { return (int)(f * (float)x); }
            int run_integer(int x) { return called(x)\(caller == "called" ? " + called_by(0.3f, x)" : ""); }
            int other(int x) { return \(caller)_by(0.7f, x); }
            """.write(to: source, atomically: true, encoding: .utf8)
            let object = folder.appending(path: "planted.o").path()
            _ = try FloatScan.run("clang", ["-O2", "-c", source.path(), "-o", object])
            let found = try FloatScan(objects: [object]).floats(from: "run_integer")
            #expect(found.isEmpty == (caller == "never"))
        }
    }
#endif
