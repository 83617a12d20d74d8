using System.Text;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Whatever a config.json holds, the program that ships answers with an error, and leaves nothing.</summary>
public sealed class OciHostileConfigTests(OciHost host) : IClassFixture<OciHost>
{
    private const int Rounds = 60;

    [Fact]
    public async Task What_is_no_configuration_is_an_error_and_no_crash()
    {
        byte[][] texts =
        [
            [], [0], "{"u8.ToArray(), "[]"u8.ToArray(), "null"u8.ToArray(), "\uFEFF{}"u8.ToArray(), [.. Enumerable.Repeat((byte)0xff, 5000)],
            Encoding.UTF8.GetBytes(new string('[', 1_000_000)),
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"linux\":", 200_000))),
            Encoding.UTF8.GetBytes("{\"ociVersion\":\"1.0.2\",\"mounts\":[" + string.Join(',', Enumerable.Repeat("{\"destination\":\"/x\",\"type\":\"tmpfs\"}", 300_000)) + "]}"),
            Encoding.UTF8.GetBytes("{\"ociVersion\":\"" + new string('9', 5_000_000) + "\"}"),
        ];
        foreach (var text in texts)
        {
            var bundle = host.Bundle("true");
            await File.WriteAllBytesAsync(Path.Combine(bundle, "config.json"), text, TestContext.Current.CancellationToken);
            await RefusedAsync(bundle);
        }
    }

    [Theory]
    [InlineData("a NUL byte in a path", "$.root.path", "/a\0b")]
    [InlineData("a NUL byte in an argument", "$.process.args[0]", "/bin/sh\0x")]
    [InlineData("an unknown namespace", "$.linux.namespaces[0].type", "moon")]
    [InlineData("a namespace that is no file", "$.linux.namespaces[0].path", "/nowhere")]
    [InlineData("a number that is none", "$.process.user.uid", "root")]
    [InlineData("an unknown mount type", "$.mounts[0].type", "moonfs")]
    [InlineData("a cgroup outside", "$.linux.cgroupsPath", "../../../../outside")]
    public async Task One_hostile_value_is_an_error_and_no_crash(string what, string path, string value)
    {
        Assert.NotEmpty(what);
        var bundle = host.Bundle("true", config => Set(config, path, value));
        await RefusedAsync(bundle);
    }

    /// <summary>Random changes to a good configuration: run or refused, never more.</summary>
    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    public async Task Random_changes_run_or_are_refused(int seed)
    {
        var random = new Random(seed);
        string[] values = ["null", "true", "-1", "0", "1e400", "4294967296", "9223372036854775808", "\"\"", "\"\\u0000\"", "\"../..\"", "[]", "{}", "[[]]", "\"rbind\"", "\"/proc/self/fd/3\""];
        for (var round = 0; round < Rounds; round++)
        {
            var bundle = host.Bundle("true", config =>
            {
                var places = Places(config).ToList();
                var victim = places[random.Next(places.Count)];
                victim.ReplaceWith(JsonNode.Parse(values[random.Next(values.Length)]));
            });
            var id = OciHost.NewId();
            var create = await host.LeaveAsync(bundle, "create", "--bundle", bundle, id);
            if (create.ExitCode is not (0 or 1))
            {
                Assert.Fail($"seed {seed}, round {round}: exit code {create.ExitCode}\n{await File.ReadAllTextAsync(Path.Combine(bundle, "config.json"), TestContext.Current.CancellationToken)}");
            }

            (await host.RunAsync("delete", "--force", id)).Succeeded();
        }

        Assert.Empty(host.Cgroups());
    }

    private async Task RefusedAsync(string bundle)
    {
        var id = OciHost.NewId();
        var create = await host.LeaveAsync(bundle, "create", "--bundle", bundle, id);
        var error = await File.ReadAllTextAsync(Path.Combine(bundle, "output.error"), TestContext.Current.CancellationToken);
        Assert.True(create.ExitCode == 1 && error.Length is > 0 and < 10_000, $"exit code {create.ExitCode}: {error[..Math.Min(error.Length, 500)]}");
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(host.Root, id)), "its state is left");
        Assert.Empty(host.Cgroups());
    }

    private static IEnumerable<JsonNode> Places(JsonNode node)
    {
        foreach (var child in node switch { JsonObject o => o.Select(pair => pair.Value), JsonArray a => a, _ => [] })
        {
            if (child is not null)
            {
                yield return child;
                foreach (var deeper in Places(child))
                {
                    yield return deeper;
                }
            }
        }
    }

    private static void Set(JsonNode config, string path, string value)
    {
        var node = config;
        var steps = path[2..].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.');
        foreach (var step in steps[..^1])
        {
            node = (int.TryParse(step, out var index) ? node![index] : node![step])!;
        }

        if (int.TryParse(steps[^1], out var last))
        {
            node[last] = value;
        }
        else
        {
            node[steps[^1]] = value;
        }
    }
}
