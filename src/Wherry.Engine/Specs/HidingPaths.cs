namespace Wherry.Engine.Specs;

/// <summary>Parts of /proc and /sys that tell of, or reach, the host rather than the container: Docker's lists.</summary>
internal static class HidingPaths
{
    /// <summary>Covered, so that they read as empty. Those a kernel doesn't have are passed over.</summary>
    public static readonly IReadOnlyList<string> Masked =
    [
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ];

    public static readonly IReadOnlyList<string> Readonly =
    [
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
    ];
}
