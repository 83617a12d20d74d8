using Wherry.Errors;
using Wherry.Images.Bootstrap;

namespace Wherry.Images.Tests;

public sealed class BootstrapTests : IDisposable
{
    private readonly StoreFixture _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("alpine")]
    [InlineData("debian")]
    [InlineData("debian:")]
    [InlineData("debian:../../etc")]
    [InlineData("debian:--variant=x")]
    [InlineData("debian:book worm")]
    [InlineData("debian:bookworm\n")]
    [InlineData("debian:Bookworm")]
    [InlineData("ubuntu:noble/x")]
    public async Task What_is_not_a_distribution_and_suite_is_refused(string name)
    {
        var failure = await Assert.ThrowsAsync<WherryException>(() => _store.Images.BootstrapAsync(new BootstrapRequest(name), null, default));
        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Empty(_store.Files("tmp"));
    }

    [Fact]
    public void The_hosts_own_mirrors_are_used_for_its_distribution_and_others_repositories_are_not()
    {
        var apt = _store.Directory("apt");
        File.WriteAllText(Path.Combine(apt, "sources.list"), """
            # comment
            deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.test/debian bookworm main contrib
            deb http://mirror.test/security bookworm-security main
            deb-src http://mirror.test/debian bookworm main
            deb [signed-by=/etc/apt/keyrings/other.gpg] https://other.test/linux bookworm stable
            """);
        Directory.CreateDirectory(Path.Combine(apt, "sources.list.d"));
        File.WriteAllText(Path.Combine(apt, "sources.list.d/more.sources"), """
            Types: deb deb-src
            URIs: http://mirror.test/debian
            Suites: bookworm-updates bookworm-backports
            Components: main

            Types: deb
            Enabled: no
            URIs: http://off.test/debian
            Suites: bookworm
            Components: main
            """);
        var release = Path.Combine(_store.Root, "os-release");
        File.WriteAllText(release, "ID=debian\nVERSION_CODENAME=bookworm\n");

        var sources = DistributionSources.OfHost(Bootstrap.Distribution.Debian, "trixie", apt, release);
        Assert.Equal(
            ["http://mirror.test/debian trixie main contrib", "http://mirror.test/security trixie-security main", "http://mirror.test/debian trixie-updates main"],
            sources.Select(source => $"{source.Uris} {string.Join(' ', source.Suites)} {source.Components}"));
        Assert.Empty(DistributionSources.OfHost(Bootstrap.Distribution.Ubuntu, "noble", apt, release));
        Assert.Equal([["sid"]], DistributionSources.OfHost(Bootstrap.Distribution.Debian, "sid", apt, release).Select(source => source.Suites));
    }

    [Theory]
    [InlineData("debian:trixie", new[] { "trixie", "trixie-updates", "trixie-security" }, "main")]
    [InlineData("debian:sid", new[] { "sid" }, "main")]
    [InlineData("ubuntu:noble", new[] { "noble", "noble-updates", "noble-security" }, "main universe")]
    public async Task Where_the_host_has_no_mirrors_those_of_mmdebstrap_are_used(string name, string[] suites, string components)
    {
        var (distribution, suite) = Bootstrap.Distribution.Parse(name);
        using var temporary = new TemporaryDirectory(_store.Directory("tmp-of-the-test"));

        var sources = await DistributionSources.OfToolAsync(distribution, suite, temporary, TestContext.Current.CancellationToken);

        Assert.Equal(suites.Order(), sources.SelectMany(source => source.Suites).Order());
        Assert.All(sources, source => Assert.Equal(components, source.Components));
        Assert.All(sources, source => Assert.StartsWith("http", source.Uris, StringComparison.Ordinal));
    }
}
