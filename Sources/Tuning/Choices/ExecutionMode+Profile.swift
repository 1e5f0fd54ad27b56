package import DeviceProfiles
package import IntegerRuntime

extension ExecutionMode {
    /// How Fettle's runtime executes a bundle for `profile`: in integers alone where the device has no floats. Nil where
    /// another runtime does.
    package init?(_ profile: DeviceProfile) {
        guard profile.runtime == .fettle else { return nil }
        self = profile.compute.float == .none ? .integerOnly : .dynamic
    }
}
