/// How fast a machine is at one moment: what everything else that it does depends on.
///
/// Both change on a virtual machine. Its two processors may share one path to memory in one minute and have two in the next, and
/// be the two threads of one core for a second, which halves what they can multiply.
package struct MachineSpeed: Sendable {
    /// Bytes per second that are read from memory.
    package let read: Double
    /// Operations per second of int8 multiply-adds in registers, a multiply-add being two.
    package let int8Peak: Double

    package init(read: Double, int8Peak: Double) {
        self.read = read
        self.int8Peak = int8Peak
    }

    /// How far a speed may be from another one, as a share of it: those of one state differ by a tenth.
    private static let tolerance = 0.15

    /// Whether both speeds are within a tolerance of the other's.
    package func isLike(_ other: MachineSpeed) -> Bool {
        abs(read / other.read - 1) <= Self.tolerance && abs(int8Peak / other.int8Peak - 1) <= Self.tolerance
    }
}
