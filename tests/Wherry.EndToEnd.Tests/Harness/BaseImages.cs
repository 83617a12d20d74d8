namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// Base images, bootstrapped once and kept as archives in out/cache, so that a second run of the tests needs
/// no network for them and every engine of a run gets them by a quick load.
/// </summary>
public static class BaseImages
{
    private static readonly SemaphoreSlim Gate = new(1, 1);

    public const string Busybox = "busybox";
    public const string Debian = "debian:bookworm";

    /// <summary>The path of an archive of the image, as <c>save</c> writes it.</summary>
    public static async Task<string> ArchiveAsync(string image)
    {
        await Gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            var cache = Path.Combine(Binaries.Out, "cache");
            Directory.CreateDirectory(cache);
            var path = Path.Combine(cache, image.Replace(':', '-') + ".tar");
            if (!File.Exists(path))
            {
                await MakeAsync(image, path);
            }

            return path;
        }
        finally
        {
            Gate.Release();
        }
    }

    public static async Task LoadAsync(PrivateEngine engine, string image)
    {
        var archive = await ArchiveAsync(image);
        await engine.Client(Clients.Wherry).TextAsync("load", "-q", "-i", archive);
    }

    private static async Task MakeAsync(string image, string path)
    {
        await using var engine = await PrivateEngine.StartNewAsync();
        var wherry = engine.Client(Clients.Wherry);
        (await wherry.RunAsync(["image", "bootstrap", image], input: null, seconds: 600)).Succeeded();
        var partial = path + ".partial";
        await wherry.TextAsync("save", "-o", partial, image);
        File.Move(partial, path, overwrite: true);
    }
}
