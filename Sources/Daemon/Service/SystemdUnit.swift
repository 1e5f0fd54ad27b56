/// The unit file of a system service for systemd: readiness, watchdog, and as little of the machine as the work needs.
package struct SystemdUnit: Sendable {
    /// Path of the `fettle` binary.
    package var executable: String
    /// Path of the configuration.
    package var configuration: String

    /// A unit that runs `executable` on `configuration`.
    package init(executable: String, configuration: String) {
        self.executable = executable
        self.configuration = configuration
    }

    /// The file's text. Models, bundles and state lie in /var/lib/fettle, which DynamicUser owns; other places need
    /// ReadWritePaths= (systemctl edit fettle).
    package var text: String {
        """
        # Written by `fettle service unit`. Install as /etc/systemd/system/fettle.service, then:
        #   systemctl daemon-reload && systemctl enable --now fettle
        # Directories of the configuration belong under /var/lib/fettle; add ReadWritePaths= for others.
        [Unit]
        Description=Fettle tunes language models for devices
        After=local-fs.target
        ConditionPathExists=\(escaped(configuration))

        [Service]
        Type=notify
        NotifyAccess=main
        ExecStart=\(escaped(executable)) daemon --config \(escaped(configuration))
        ExecReload=/bin/kill -HUP $MAINPID
        Restart=on-failure
        RestartSec=5
        WatchdogSec=60
        TimeoutStopSec=30
        KillMode=mixed

        DynamicUser=yes
        StateDirectory=fettle
        CacheDirectory=fettle
        WorkingDirectory=/var/lib/fettle
        UMask=0022

        Nice=10
        CPUSchedulingPolicy=batch
        IOSchedulingClass=idle
        OOMPolicy=continue

        NoNewPrivileges=yes
        CapabilityBoundingSet=
        AmbientCapabilities=
        ProtectSystem=strict
        ProtectHome=yes
        PrivateTmp=yes
        PrivateDevices=yes
        PrivateUsers=yes
        ProtectKernelTunables=yes
        ProtectKernelModules=yes
        ProtectKernelLogs=yes
        ProtectControlGroups=yes
        ProtectClock=yes
        ProtectHostname=yes
        ProtectProc=invisible
        ProcSubset=pid
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
        IPAddressDeny=any
        IPAddressAllow=localhost
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RemoveIPC=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged
        SystemCallErrorNumber=EPERM

        [Install]
        WantedBy=multi-user.target

        """
    }

    /// A path as one word of a unit file: quoted, `%` doubled.
    private func escaped(_ path: String) -> String {
        let special = path.contains { " \t\"'\\;".contains($0) }
        let text = path.replacing("%", with: "%%")
        guard special else { return text }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
