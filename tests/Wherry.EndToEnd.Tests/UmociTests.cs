namespace Wherry.EndToEnd.Tests;

/// <summary>Layers between Wherry and umoci, which reads and writes them with code of its own: same files, attributes and deletions, both ways.</summary>
public sealed class UmociTests(EngineFixture fixture) : EngineTests(fixture)
{
    /// <summary>Everything a layer can hold; with times of its own, since unpacking must keep them.</summary>
    private const string Tree = """
        mkdir -p tree/bin tree/d/deep tree/gone tree/opaque && cd tree && cp /bin/busybox bin/sh
        echo content > d/f && chmod 4711 d/f && ln d/f d/hard && ln -s f d/soft && ln -s /nowhere d/dangling
        mkfifo d/pipe && mknod d/null c 1 3 && mknod d/disk b 250 1
        echo owned > d/owned && chown 3000000:4000000 d/owned
        echo old > d/old && touch -d '2001-02-03 04:05:06.123456789' d/old
        echo early > d/early && touch -d '1955-11-05 06:15:00' d/early
        truncate -s 3M d/sparse && printf end >> d/sparse
        echo long > "d/$(printf 'n%.0s' $(seq 200))" && echo name > 'd/ünïcode name'
        cp bin/sh d/capable && python3 -c 'import os; os.setxattr("d/owned", "user.note", b"hi"); os.setxattr("d/capable", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))'
        echo gone > gone/file && echo hidden > opaque/old && chmod 1777 opaque
        """;

    /// <summary>One line for each file, with all that makes it what it is. Directories' times change where mount points are made in them.</summary>
    private const string Listing = """
        find . -mindepth 1 \( -path ./dev -o -path ./proc -o -path ./sys -o -path ./etc -o -path ./.dockerenv \) -prune \
            -o -type d -printf '%p d %m %U %G\n' -o -printf '%p %y %m %U %G %s %T@ %l %n\n' | sort
        find bin d opaque -type f -exec sha256sum {} + | sort
        python3 -c 'import os; [print(f, a, os.getxattr(f, a).hex()) for f in sorted("d/" + n for n in os.listdir("d")) for a in sorted(os.listxattr(f, follow_symlinks=False))]'
        stat -c '%n %t:%T' d/null d/disk
        """;

    [Fact]
    public async Task What_we_save_umoci_unpacks_to_the_same_files()
    {
        var (directory, image) = await MakeImageAsync();

        await ShellAsync($"cd {directory} && mkdir layout && tar xf image.tar -C layout && umoci unpack --image layout:v2 bundle");

        Assert.Equal(await ListExportAsync(directory, image), await ShellAsync($"cd {directory}/bundle/rootfs && {Listing}"));
        await Docker.TextAsync("rmi", image);
    }

    [Fact]
    public async Task What_umoci_packs_we_load_to_the_same_files()
    {
        var (directory, image) = await MakeImageAsync();
        await ShellAsync($"cd {directory} && mkdir layout && tar xf image.tar -C layout && umoci unpack --image layout:v2 bundle");
        await ShellAsync($"cd {directory}/bundle/rootfs && rm d/hard d/early && rm -rf opaque && mkdir opaque && echo newer > opaque/newer && chown 5:6 d/owned && ln d/old d/old2 && mknod d/zero c 1 5");
        // It rounds times to seconds, up or down.
        await ShellAsync($"cd {directory}/bundle/rootfs && find bin d opaque ! -type d -exec touch -h -d @1700000000 {{}} +");
        // umoci knows nothing of the docker-archive that lies in the same tar.
        await ShellAsync($"cd {directory} && umoci repack --image layout:v3 bundle && umoci rm --image layout:v2 && rm layout/manifest.json && tar cf repacked.tar -C layout .");

        var loaded = await Docker.TextAsync("load", "-i", $"{directory}/repacked.tar");

        Assert.Equal($"Loaded image: {image}", loaded); // umoci takes our annotations over, the name among them
        Assert.Equal(await ShellAsync($"cd {directory}/bundle/rootfs && {Listing}"), await ListExportAsync(directory, image));
        await Docker.TextAsync("rmi", image);
    }

    /// <summary>An image of two layers, the second with deletions and an opaque directory, saved to <c>image.tar</c>.</summary>
    private async Task<(string Directory, string Image)> MakeImageAsync()
    {
        Binaries.Need("umoci");
        var directory = HostDirectory();
        await ShellAsync($"cd {directory} && {{ {Tree}\n }} && tar cf ../tree.tar --format=pax --xattrs --xattrs-include='*' .");
        var image = $"{Harness.Client.NewName("umoci")}:v2";
        await Docker.TextAsync("import", $"{directory}/tree.tar", "umoci-base:v1");
        var id = await Docker.TextAsync("run", "-d", "--network", "none", "umoci-base:v1", "/bin/sh", "-c", "rm -rf /gone /opaque /d/dangling && mkdir /opaque && echo new > /opaque/new && echo more >> /d/old");
        Assert.Equal("0", await Docker.TextAsync("wait", id));
        await Docker.TextAsync("commit", id, image);
        await Docker.TextAsync("rm", id);
        await Docker.TextAsync("save", "-o", $"{directory}/image.tar", image);
        return (directory, image);
    }

    private async Task<string> ListExportAsync(string directory, string image)
    {
        var id = await Docker.TextAsync("create", image, "/bin/sh");
        await Docker.TextAsync("export", "-o", $"{directory}/export.tar", id);
        await Docker.TextAsync("rm", id);
        return await ShellAsync($"cd {directory} && rm -rf export && mkdir export && tar xpf export.tar --xattrs --xattrs-include='*' --same-owner --numeric-owner -C export && cd export && {Listing}");
    }

    private static async Task<string> ShellAsync(string script) => (await Command.ShellAsync("set -e; " + script)).Succeeded().Text;
}
