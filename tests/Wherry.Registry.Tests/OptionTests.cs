using Wherry.Daemon.Registry;
using Wherry.Errors;
using Wherry.Registry.Authentication;

namespace Wherry.Registry.Tests;

/// <summary>The command line and the configuration file of <c>wherry registry serve</c>.</summary>
public sealed class OptionTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void The_command_line_replaces_what_the_file_says()
    {
        File.WriteAllText(_file, """
            { "listen": ["127.0.0.1:6000", "[::1]:6000"], "root": "/srv/a", "read-only": true, "quota": "10GB",
              "access": [{ "user": "*", "repositories": "team/**", "actions": ["pull", "push"] }],
              "quotas": [{ "repositories": "big/*", "limit": "2TiB" }] }
            """);
        var options = RegistryCommandLine.Parse(["--config", _file, "--root=/srv/b", "--listen", ":7000", "--gc-grace", "30m"]).Options;

        Assert.Equal(["[::]:7000"], options.Listen.Select(address => address.ToString()));
        Assert.Equal("/srv/b", options.Root);
        Assert.True(options.ReadOnly);
        Assert.Equal(10_000_000_000, options.Quota);
        Assert.Equal(2L << 40, Assert.Single(options.Quotas).Bytes);
        Assert.Equal(RepositoryAction.Pull | RepositoryAction.Push, Assert.Single(options.Access).Actions);
        Assert.Equal(TimeSpan.FromMinutes(30), options.CollectionGrace);
    }

    [Theory]
    [InlineData("{\"listens\":\"x\"}", "\"listens\" is no option")]
    [InlineData("{\"listen\":\"x\"}", "must be ADDRESS:PORT")]
    [InlineData("[]", "is not a JSON object")]
    [InlineData("{", "is not a JSON object")]
    [InlineData("{\"read-only\":\"yes\"}", "must be true or false")]
    [InlineData("{\"access\":[{\"user\":\"a\",\"repositories\":\"**\",\"actions\":[\"own\"]}]}", "\"own\" is no action")]
    [InlineData("{\"access\":[{\"user\":\"a\",\"repositories\":\"**\"}]}", "needs \"actions\"")]
    [InlineData("{\"access\":[{\"user\":\"a\",\"repository\":\"**\",\"repositories\":\"**\",\"actions\":[]}]}", "\"repository\" is unknown")]
    [InlineData("{\"quota\":\"much\"}", "must be a size")]
    public void A_wrong_file_is_named_with_what_is_wrong(string text, string message)
    {
        File.WriteAllText(_file, text);

        var failure = Assert.Throws<WherryException>(() => RegistryCommandLine.Parse(["--config", _file]));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Contains(_file, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nothing")]
    [InlineData("stray")]
    [InlineData("--root")]
    [InlineData("--root=relative")]
    [InlineData("--listen=example.com:1")]
    [InlineData("--gc-grace=soon")]
    [InlineData("--max-uploads=0")]
    [InlineData("--proxy=ftp://x")]
    public void A_wrong_option_is_refused(string argument) =>
        Assert.Throws<WherryException>(() => RegistryCommandLine.Parse([argument]));
}
