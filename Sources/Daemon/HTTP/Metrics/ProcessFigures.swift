internal import Foundation

/// What the kernel says of this process.
struct ProcessFigures: Sendable {
    let cpuSeconds: Double
    let residentBytes: Double
    let openFiles: Int
    /// Seconds since 1970.
    let started: Double

    /// The figures as they are now; nil where /proc is not there.
    init?() {
        guard let stat = ProcFile.value("/proc/self/stat", after: ""), let close = stat.lastIndex(of: ")") else {
            return nil
        }
        // Fields are numbered as in proc(5), from 3 on: the name before may hold spaces.
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        func field(_ number: Int) -> Double { number - 3 < fields.count ? Double(fields[number - 3]) ?? 0 : 0 }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        cpuSeconds = (field(14) + field(15)) / ticks
        residentBytes = field(24) * Double(sysconf(Int32(_SC_PAGESIZE)))
        openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        let boot = ProcFile.value("/proc/stat", after: "btime ")
        started = (boot.flatMap { Double($0) } ?? 0) + field(22) / ticks
    }

    /// Writes the conventional families.
    func write(to text: inout PrometheusText) {
        text.single("process_cpu_seconds_total", .counter, "User and system CPU time of the daemon itself.", cpuSeconds)
        text.single("process_resident_memory_bytes", .gauge, "Resident memory of the daemon itself.", residentBytes)
        text.single("process_open_fds", .gauge, "Open file descriptors.", Double(openFiles))
        text.single("process_start_time_seconds", .gauge, "Start of the process, seconds since 1970.", started)
    }
}
