import DeviceProfiles
import Profiles
import Testing

/// What the build embedded.
@Suite struct ShippedProfileTests {
    private let library = ProfileLibrary(directories: [], shipped: ShippedProfiles.all)

    @Test func theDevicesOfTheHandbookAreThere() {
        #expect(
            library.names == [
                "cortex-m55", "demo-handheld", "demo-llama-cpp", "esp32-s3-8mb", "mini-pc-avx2", "phone-midrange",
                "raspberry-pi-5-4gb", "raspberry-pi-zero-2-w", "rk3588-8gb", "server-vnni",
            ])
    }

    @Test(arguments: ShippedProfiles.all.map(\.name))
    func loads(name: String) throws {
        let stem = String(name.split(separator: "/").last ?? "")
        let profile = try library.load(stem)
        #expect(profile.name == stem)
        #expect(!profile.description.isEmpty)
        // A device without a budget would take any bundle; a family is no device.
        #expect((profile.memory.budget != nil) == !name.hasPrefix("families/"))
    }

    @Test func aPartOfANameIsNear() {
        let error = #expect(throws: ProfileError.self) { try library.load("pi5") }
        #expect(error?.message.contains("the nearest are raspberry-pi-5-4gb, ") == true)
    }

    /// The demonstration's model has 93,000,000 bytes as it comes; both profiles must demand less.
    @Test func demonstrationsDemandLessThanTheModelHas() throws {
        let handheld = try library.load("demo-handheld")
        #expect(handheld.runtime == .fettle && handheld.memory.context == 512)
        #expect(handheld.memory.storage == 76_000_000)
        let llama = try library.load("demo-llama-cpp")
        #expect(llama.runtime == .llamaCpp && llama.memory.context == 512)
        #expect(llama.memory.storage == 84_000_000)
    }

    @Test(arguments: ["esp32-s3-8mb", "cortex-m55"])
    func devicesWithoutFloatUnit(name: String) throws {
        let profile = try library.load(name)
        #expect(profile.compute.float == .none)
        #expect(profile.compute.granularity == [.tensor, .channel])
    }

    /// Figures of the design's example, by hand.
    @Test func raspberryPi5() throws {
        let pi = try library.load("raspberry-pi-5-4gb")
        #expect(pi.memory.budget == 900 << 20 && pi.memory.storage == 700 << 20)
        #expect(pi.memory.bandwidth == 12e9 && pi.compute.int8Throughput == 150e9)
        #expect(pi.energy.dram == 6e-11 && pi.energy.int8MAC == 4e-13 && pi.energy.int16MAC == 4 * 4e-13)
        #expect(pi.compute.dot == .sdot && pi.compute.groups == [32, 64, 128])
    }
}
