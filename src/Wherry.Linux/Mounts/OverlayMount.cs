using Wherry.Errors;
using Wherry.Linux.Files;

namespace Wherry.Linux.Mounts;

/// <summary>Overlay file systems as mounts attached nowhere: they go when the descriptor is closed.</summary>
public static class OverlayMount
{
    /// <summary>Layers the kernel takes below the upper one (OVL_MAX_STACK).</summary>
    public const int MostLayers = 500;

    /// <summary>What fits into the one page that mount(2) takes, when each layer is named by a descriptor.</summary>
    private const int MostLayersInOnePage = 180;

    private const string LayerOption = "lowerdir+";

    /// <summary>
    /// The first kernel that takes them one by one. Those before it refuse the option no earlier than when the mount is
    /// made, and write a line to their log each time.
    /// </summary>
    public static readonly Version FirstWithSingleLayers = new(6, 5);

    /// <summary>Whether the kernel takes layers one by one (since 6.5), and so <see cref="MostLayers"/> of them.</summary>
    /// <exception cref="WherryException">Unsupported: the kernel has no overlay.</exception>
    public static bool TakesLayersOneByOne()
    {
        using var context = Begin();
        return Environment.OSVersion.Version >= FirstWithSingleLayers && MountSyscalls.TryConfigure(context, LayerOption, "/") != -Errno.EINVAL;
    }

    /// <summary>How many layers this kernel can put below the upper one.</summary>
    public static int LayerLimit() => TakesLayersOneByOne() ? MostLayers : MostLayersInOnePage;

    /// <summary>Makes an overlay that the host does not see.</summary>
    /// <param name="lower">Read-only directories, topmost first.</param>
    /// <param name="upper">Takes changes; null for a mount to read only, of two or more lower directories.</param>
    /// <param name="work">Overlay's own directory beside <paramref name="upper"/>.</param>
    /// <param name="options"><c>name=value</c>.</param>
    /// <param name="place">A directory to mount on for a moment, in mounts of our own, where the kernel does not know the way by descriptor.</param>
    public static FileDescriptor Create(IReadOnlyList<string> lower, string? upper, string? work, IReadOnlyList<string> options, string place)
    {
        if (TakesLayersOneByOne())
        {
            return ByDescriptor(lower, upper, work, options);
        }

        var (mounts, made) = MountNamespace.Create(() => ByPage(lower, upper, work, options, place));
        mounts.Dispose();
        return made;
    }

    /// <summary>The same with mount(2), for kernels before 6.5: their fsconfig(2) takes no value longer than 255 bytes.</summary>
    internal static FileDescriptor ByPage(IReadOnlyList<string> lower, string? upper, string? work, IReadOnlyList<string> options, string place)
    {
        // Names by descriptor are short, and hold no character that would have to be escaped.
        var open = lower.Select(layer => FileSyscalls.Open(layer, OpenFlags.PathOnly | OpenFlags.Directory)).ToList();
        try
        {
            var data = new List<string> { "lowerdir=" + string.Join(':', open.Select(FileSyscalls.ProcPath)) };
            if (upper is not null)
            {
                data.AddRange([$"upperdir={upper}", $"workdir={work}"]);
            }

            data.AddRange(options);
            MountSyscalls.Mount("overlay", place, "overlay", MountFlags.None, string.Join(',', data));
            return MountSyscalls.CloneTree(place, recursive: false);
        }
        finally
        {
            open.ForEach(layer => layer.Dispose());
        }
    }

    /// <summary>The same with one call per layer, which has no limit but the kernel's own, for kernels since 6.5.</summary>
    public static FileDescriptor ByDescriptor(IReadOnlyList<string> lower, string? upper, string? work, IReadOnlyList<string> options)
    {
        using var context = Begin();
        foreach (var layer in lower)
        {
            Configure(context, LayerOption, layer);
        }

        if (upper is not null)
        {
            Configure(context, "upperdir", upper);
            Configure(context, "workdir", work);
        }

        foreach (var option in options)
        {
            var equals = option.IndexOf('=');
            Configure(context, equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..]);
        }

        return MountSyscalls.CreateMount(context, MountAttributes.None, "an overlay");
    }

    private static FileDescriptor Begin() => MountSyscalls.TryOpenFileSystem("overlay") switch
    {
        var context and >= 0 => new FileDescriptor(context),
        -Errno.ENODEV => throw WherryException.Unsupported("this kernel has no overlay file system"),
        var failed => throw new LinuxException("begin an overlay mount", -failed),
    };

    private static void Configure(FileDescriptor context, string key, string? value)
    {
        var result = MountSyscalls.TryConfigure(context, key, value);
        if (result < 0)
        {
            throw new LinuxException($"set an overlay's {key} to {value}", -result);
        }
    }
}
