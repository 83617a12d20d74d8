using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Containers;

namespace Wherry.Api.Tests.Contracts;

/// <summary>Bodies as the stock command lines sent them, recorded on a socket.</summary>
public sealed class CapturedRequestTests
{
    public static TheoryData<string> Bodies =>
    [
        .. from version in new[] { "20.10", "28.2" }
           from body in new[] { "create-plain", "create-full", "exec", "exec-start", "volume" }
           select $"docker-{version}-{body}",
    ];

    [Theory]
    [MemberData(nameof(Bodies))]
    public void Nothing_a_stock_client_says_is_lost(string name)
    {
        var (sent, kept) = RoundTrip(name);
        AssertKept(sent, kept, name);
    }

    [Fact]
    public void What_was_asked_for_is_where_the_engine_looks_for_it()
    {
        var request = JsonSerializer.Deserialize(Read("docker-28.2-create-full"), ApiJson.Default.ContainerCreateRequest)!;
        var host = Assert.IsType<HostConfig>(request.HostConfig);
        Assert.Equal("busybox", request.Image);
        Assert.Equal(["/bin/sh"], request.Entrypoint);
        Assert.Equal(["sh", "-c", "a && b"], request.Cmd);
        Assert.Equal(3, request.StopTimeout);
        Assert.Equal(1_500_000_000, host.NanoCpus);
        Assert.Equal(64 << 20, host.Memory);
        Assert.Equal(50, host.PidsLimit);
        Assert.Equal("0-1", host.CpusetCpus);
        Assert.True(host.Init);
        Assert.True(host.AutoRemove);
        Assert.False(host.OomKillDisable);
        Assert.Equal("8080", Assert.Single(host.PortBindings!["80/udp"]!).HostPort);
        Assert.Equal(1 << 20, Assert.Single(host.Mounts!).TmpfsOptions!.SizeBytes);
    }

    [Fact]
    public void Null_and_absence_mean_zero_as_they_do_in_go()
    {
        var request = JsonSerializer.Deserialize(
            """{"Image":null,"Tty":null,"Cmd":"sh","hostconfig":{"Memory":null,"LogConfig":null,"PidsLimit":null}}""",
            ApiJson.Default.ContainerCreateRequest)!;
        Assert.Equal("", request.Image);
        Assert.Equal("", request.Hostname);
        Assert.False(request.Tty);
        Assert.Equal(["sh"], request.Cmd);
        Assert.Equal(0, request.HostConfig!.Memory);
        Assert.Equal("", request.HostConfig.LogConfig.Type);
        Assert.Equal("", request.HostConfig.RestartPolicy.Name);
        Assert.Null(request.HostConfig.PidsLimit);
    }

    private static string Read(string name)
    {
        using var stream = typeof(CapturedRequestTests).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static (JsonElement Sent, JsonElement Kept) RoundTrip(string name)
    {
        var text = Read(name);
        var kept = name[(name.IndexOf('-', 7) + 1)..] switch
        {
            "create-plain" or "create-full" => Again(text, ApiJson.Default.ContainerCreateRequest),
            "exec" => Again(text, ApiJson.Default.ExecCreateRequest),
            "exec-start" => Again(text, ApiJson.Default.ExecStartRequest),
            "volume" => Again(text, ApiJson.Default.VolumeCreateRequest),
            _ => throw new ArgumentException(name),
        };
        return (JsonDocument.Parse(text).RootElement, kept);
    }

    private static JsonElement Again<T>(string text, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToElement(JsonSerializer.Deserialize(text, type)!, type);

    /// <summary>Every value sent is there again; what means the same as nothing may be missing.</summary>
    private static void AssertKept(JsonElement sent, JsonElement kept, string path)
    {
        if (sent.ValueKind != JsonValueKind.Object)
        {
            Assert.True(JsonElement.DeepEquals(sent, kept), $"{path}: sent {sent}, kept {kept}");
            return;
        }

        foreach (var property in sent.EnumerateObject())
        {
            if (kept.TryGetProperty(property.Name, out var value))
            {
                AssertKept(property.Value, value, $"{path}.{property.Name}");
            }
            else
            {
                // The exec's own Detach is repeated, and obeyed, in its start; clients before 20.10 wanted both.
                Assert.True(property.Value.ToString() is "" or "0" or "False" || property.Name == "Detach", $"{path}.{property.Name} is lost: {property.Value}");
            }
        }
    }
}
