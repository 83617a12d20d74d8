using System.Diagnostics;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests;

/// <summary>A store in a directory of its own, removed at the end.</summary>
public sealed class StoreFixture : IDisposable
{
    public StoreFixture()
    {
        System.IO.Directory.CreateDirectory(Root);
        Reopen();
    }

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "wherry-images-" + Guid.NewGuid().ToString("N"));

    public string Data => Path.Combine(Root, "data");

    public LayerStore Layers { get; private set; } = null!;

    public ImageStore Images { get; private set; } = null!;

    /// <summary>As a restart of the engine.</summary>
    public void Reopen()
    {
        Layers = LayerStore.Open(Data, "overlay");
        Images = ImageStore.Open(Data, Layers);
    }

    public string Directory(string name)
    {
        var path = Path.Combine(Root, name);
        System.IO.Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>All files below the data directory, but for the empty directories that every store has.</summary>
    public IReadOnlyList<string> Files(string below) =>
        [.. System.IO.Directory.EnumerateFileSystemEntries(Path.Combine(Data, below), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }

    public void Dispose()
    {
        if (System.IO.Directory.Exists(Root))
            Wherry.Linux.FileTrees.FileTree.RemoveTree(Root);
    }
}
