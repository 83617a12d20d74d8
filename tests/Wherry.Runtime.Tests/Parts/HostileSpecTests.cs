using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Stages;

namespace Wherry.Runtime.Tests.Parts;

/// <summary>Whatever a config.json holds, the answer is a plan or an expected error, never a crash and never for ever.</summary>
public sealed class HostileSpecTests
{
    private const int Rounds = 3000;

    private static readonly string[] Interesting =
    [
        "", "\0", "/", "..", "../../etc", "/a\0b", "/proc/self/fd/3", "bind", "rbind", "ridmap", "idmap", "tmpcopyup", "rro", "r", "ro", "remount", "size=99999999999999999999",
        "user", "time", "mount", "pid", "SCHED_DEADLINE", "RLIMIT_NOFILE", "CAP_SYS_ADMIN", "0-8191", "9999999999", "2MB", "\uFFFF", new('x', 70_000), "a", "c", "LINUX32",
    ];

    private static readonly long[] Numbers = [0, -1, 1, 10, 1000, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    private static string TemplateText { get; } = JsonSerializer.Serialize(
        new Spec
        {
            Hostname = "h",
            Root = new Root { Path = "rootfs", Readonly = true },
            Annotations = new Dictionary<string, string> { ["a"] = "b" },
            Hooks = new Hooks { Prestart = [new Hook { Path = "/x", Args = ["y"], Env = ["z=1"], Timeout = 3 }] },
            Mounts =
            [
                new Mount { Destination = "/proc", Type = "proc", Source = "proc" },
                new Mount { Destination = "/m", Type = "bind", Source = "/s", Options = ["rbind", "rro", "idmap"], UidMappings = [new IdMapping(0, 1, 2)], GidMappings = [new IdMapping(0, 4, 5)] },
            ],
            Process = new Process
            {
                Args = ["sh"],
                Env = ["PATH=/bin"],
                Capabilities = new Capabilities { Effective = ["CAP_KILL"], Bounding = ["CAP_KILL"], Permitted = ["CAP_KILL"] },
                Rlimits = [new Rlimit("RLIMIT_NOFILE", 1, 2)],
                OomScoreAdj = 1,
                Scheduler = new Scheduler { Policy = "SCHED_BATCH", Nice = 1 },
                IoPriority = new IoPriority("IOPRIO_CLASS_BE", 4),
                ExecCpuAffinity = new ExecCpuAffinity("0", "0-1"),
            },
            Linux = new LinuxConfig
            {
                UidMappings = [new IdMapping(0, 1000, 10)],
                GidMappings = [new IdMapping(0, 1000, 10)],
                Namespaces = [new Namespace("pid"), new Namespace("mount"), new Namespace("user"), new Namespace("time"), new Namespace("network")],
                Devices = [new Device { Path = "/dev/x", Type = "c", Major = 1, Minor = 3 }],
                Sysctl = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1" },
                TimeOffsets = new Dictionary<string, TimeOffset> { ["monotonic"] = new(1, 2) },
                Personality = new Personality("LINUX", []),
                MaskedPaths = ["/proc/kcore"],
                ReadonlyPaths = ["/proc/sys"],
                RootfsPropagation = "rslave",
                Resources = new Resources
                {
                    Devices = [new DeviceRule(true, "c", 1, 3, "rwm")],
                    Memory = new MemoryLimits { Limit = 1 << 20 },
                    Cpu = new CpuLimits { Shares = 100, Cpus = "0" },
                    Pids = new PidsLimit(10),
                },
            },
        },
        SpecJson.Default.Spec);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_changes_to_a_configuration_are_planned_or_refused(int seed)
    {
        var random = new Random(seed);
        var template = JsonNode.Parse(TemplateText)!;
        var understood = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var spec = template.DeepClone();
            for (var change = random.Next(4); change >= 0; change--)
            {
                spec = Change(spec, random);
            }

            understood += Plan(Encoding.UTF8.GetBytes(spec.ToJsonString())) ? 1 : 0;
        }

        // Were everything refused at the first glance, nothing behind it would have been tried.
        Assert.True(understood > Rounds / 20, $"only {understood} of {Rounds} were understood");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Random_bytes_in_a_configuration_are_refused_or_do_not_matter(int seed)
    {
        var random = new Random(seed);
        var template = Encoding.UTF8.GetBytes(TemplateText);
        for (var round = 0; round < Rounds; round++)
        {
            var text = template.AsSpan(0, random.Next(10) == 0 ? random.Next(template.Length) : template.Length).ToArray();
            for (var change = random.Next(1, 6); change > 0 && text.Length > 0; change--)
            {
                text[random.Next(text.Length)] = (byte)random.Next(256);
            }

            Plan(text);
        }
    }

    /// <summary>But for that each would do: the configuration they are in is good.</summary>
    [Fact]
    public void What_is_too_deep_or_too_much_is_refused()
    {
        Assert.True(Plan(Encoding.UTF8.GetBytes(TemplateText)));
        Assert.True(Plan(With($"\"unknown\": {Nested(30)}")));
        Assert.False(Plan(With($"\"unknown\": {Nested(100_000)}")));
        Assert.False(Plan(Changed(spec => spec["process"]!["env"] = new JsonArray([.. Enumerable.Range(0, 200_000).Select(number => JsonValue.Create($"A{number}=1"))]))));
        Assert.False(Plan(Changed(spec => spec["annotations"] = new JsonObject(Enumerable.Range(0, 200_000).Select(number => KeyValuePair.Create($"{number}", (JsonNode?)""))))));
        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
        static byte[] With(string field) => Encoding.UTF8.GetBytes($"{{ {field}, {TemplateText[1..]}");
    }

    /// <summary>Where a text goes to the kernel it would end at the NUL byte, and be another's name than was checked.</summary>
    [Fact]
    public void A_NUL_byte_and_an_unknown_value_are_refused()
    {
        Assert.False(Plan(Changed(spec => spec["root"]!["path"] = "rootfs\0/of/another")));
        Assert.False(Plan(Changed(spec => spec["linux"]!["namespaces"]![0]!["type"] = "moon")));
        Assert.False(Plan(Changed(spec => spec["linux"]!["devices"]![0]!["type"] = "moon")));
        Assert.False(Plan(Changed(spec => spec["linux"]!["rootfsPropagation"] = "rmoon")));
        Assert.False(Plan(Changed(spec => spec["process"]!["rlimits"]![0]!["type"] = "RLIMIT_MOON")));
        Assert.False(Plan(Changed(spec => spec["process"]!["scheduler"]!["policy"] = "SCHED_MOON")));
        Assert.False(Plan(Changed(spec => spec["process"]!["ioPriority"]!["class"] = "IOPRIO_CLASS_MOON")));
    }

    private static byte[] Changed(Action<JsonNode> change)
    {
        var spec = JsonNode.Parse(TemplateText)!;
        change(spec);
        return Encoding.UTF8.GetBytes(spec.ToJsonString());
    }

    // All that is made of a configuration without touching the host.
    private static bool Plan(byte[] text)
    {
        try
        {
            var bundle = new Bundle("/nowhere", Bundle.ParseSpec(text), new SandboxOptions());
            BundleCheck.Require(bundle);
            foreach (var mount in bundle.Spec.Mounts)
            {
                _ = MountOptions.Of(mount);
            }

            _ = DeviceRules.Compile(bundle.Linux.Resources?.Devices ?? []);
            _ = Wherry.Linux.Processes.UserNamespace.MapText(IdMappings.Ranges(bundle.Linux.UidMappings));
            return true;
        }
        catch (WherryException)
        {
            return false;
        }
    }

    private static JsonNode Change(JsonNode root, Random random)
    {
        var nodes = new List<JsonNode>();
        Collect(root, nodes);
        var victim = nodes[random.Next(nodes.Count)];
        JsonNode? replacement = random.Next(8) switch
        {
            0 => null,
            1 => JsonValue.Create(random.Next(2) == 0),
            2 or 3 => JsonValue.Create(Numbers[random.Next(Numbers.Length)]),
            4 => new JsonArray(),
            5 => new JsonObject(),
            _ => JsonValue.Create(Interesting[random.Next(Interesting.Length)]),
        };
        switch (victim.Parent)
        {
            case JsonObject parent:
                parent[victim.GetPropertyName()] = replacement;
                break;
            case JsonArray parent when random.Next(3) == 0:
                parent.Add(victim.DeepClone());
                break;
            case JsonArray parent:
                parent[victim.GetElementIndex()] = replacement;
                break;
        }

        return root;
    }

    private static void Collect(JsonNode? node, List<JsonNode> found)
    {
        if (node is null)
        {
            return;
        }

        found.Add(node);
        foreach (var child in node switch { JsonObject o => o.Select(pair => pair.Value), JsonArray a => a, _ => [] })
        {
            Collect(child, found);
        }
    }
}
