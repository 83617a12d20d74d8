using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Images.Bootstrap;

/// <summary>Finds the distribution's static busybox: the one installed, else the package, downloaded with apt's checks.</summary>
internal sealed class BusyboxPackage(TemporaryDirectory temporary, IProgress<ImageProgress>? progress)
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    internal async Task<(byte[] Program, FileTime Time)> FindAsync(CancellationToken cancel)
    {
        foreach (var path in (IReadOnlyList<string>)["/bin/busybox", "/usr/bin/busybox"])
        {
            if (!File.Exists(path))
                continue;
            var program = await File.ReadAllBytesAsync(path, cancel);
            if (BusyboxRoot.IsStaticExecutable(program))
            {
                progress?.Report(new ImageProgress(null, $"Using {path} of this host"));
                return (program, new FileTime(new DateTimeOffset(File.GetLastWriteTimeUtc(path)).ToUnixTimeSeconds(), 0));
            }
        }
        return await DownloadAsync(cancel);
    }

    private async Task<(byte[] Program, FileTime Time)> DownloadAsync(CancellationToken cancel)
    {
        if (ChildProcess.Find("apt-get") is null)
            throw WherryException.Unsupported("busybox is made of Debian's package busybox-static, and this host has neither apt-get nor a static /bin/busybox: install one");
        progress?.Report(new ImageProgress(null, "Downloading busybox-static"));
        var directory = temporary.Make("package");
        try
        {
            await DownloadPackageAsync([], directory, cancel);
        }
        catch (ChildFailedException)
        {
            // The host's package lists may be missing or old: fresh ones of our own, the host's stay as they are.
            progress?.Report(new ImageProgress(null, "Fetching package lists"));
            var (state, cache) = (temporary.Make("state"), temporary.Make("cache"));
            Directory.CreateDirectory(Path.Combine(state, "lists", "partial"));
            Directory.CreateDirectory(Path.Combine(cache, "archives", "partial"));
            string[] options = ["-o", $"Dir::State::Lists={state}/lists", "-o", $"Dir::Cache={cache}", "-o", "APT::Sandbox::User=root"];
            try
            {
                await ChildProcess.CaptureAsync("apt-get", ["-q", .. options, "update"], NoEnvironment, directory, cancel);
                await DownloadPackageAsync(options, directory, cancel);
            }
            catch (ChildFailedException failure)
            {
                throw new WherryException(ErrorKind.Unavailable, $"can't download the package busybox-static (is the network up? apt-get install busybox-static makes it unnecessary):\n{failure.LastLines}", failure);
            }
        }
        var package = Directory.EnumerateFiles(directory, "*.deb").FirstOrDefault() ?? throw WherryException.System("apt-get download left no package");
        return await UnpackAsync(package, directory, cancel);
    }

    private static Task DownloadPackageAsync(string[] options, string directory, CancellationToken cancel) =>
        ChildProcess.CaptureAsync("apt-get", ["-q", "-o", "APT::Sandbox::User=root", .. options, "download", "busybox-static"], NoEnvironment, directory, cancel);

    private static async Task<(byte[] Program, FileTime Time)> UnpackAsync(string package, string directory, CancellationToken cancel)
    {
        const int LargestProgram = 64 << 20;
        using var child = ChildProcess.Start("dpkg-deb", ["--fsys-tarfile", package], NoEnvironment, directory, null);
        using var stopping = cancel.Register(child.Kill);
        (byte[] Program, FileTime Time)? found = null;
        using (var reader = new TarReader(child.Output))
        {
            while (reader.Next() is { } entry)
            {
                if (entry.Kind == TarKind.File && entry.NameText is "./bin/busybox" or "./usr/bin/busybox")
                    found = (reader.ReadAll(LargestProgram, entry.NameText), entry.Modified with { Nanoseconds = 0 });
            }
            reader.Drain();
        }
        await child.WaitAsync(cancel);
        if (found is not { } busybox)
            throw WherryException.System("the package busybox-static holds no busybox");
        return BusyboxRoot.IsStaticExecutable(busybox.Program) ? busybox : throw BusyboxRoot.NotStatic("busybox of busybox-static");
    }
}
