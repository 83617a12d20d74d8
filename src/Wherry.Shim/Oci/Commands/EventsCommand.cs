using System.Text;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Polling;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;
using Wherry.Shim.Oci.Stats;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>events</c>: one JSON document a line, what a container uses every so often and when it runs out of memory, until it ends.</summary>
public sealed class EventsCommand : ICommand
{
    private const ulong OfProcess = 1;
    private const ulong OfMemory = 2;

    public OptionTable Options => new("events [options] ID", "interval= Between statistics, such as 5s or 500ms (default: 5s)", "stats Print statistics once, and end");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var interval = Duration.Parse(parsed.Text("interval") ?? "5s");
        if (interval <= TimeSpan.Zero)
        {
            throw WherryException.Invalid("duration interval must be greater than 0");
        }

        using var container = Container.Open(global.Root, parsed.RequireId("events"));
        using var process = container.TryOpenProcess()
            ?? throw WherryException.Conflict($"container with id {container.State.Id} is not running");
        container.RequireCgroup("counting what it uses");
        if (parsed.IsOn("stats"))
        {
            PrintStats(container);
            return 0;
        }

        using var memory = OomWatch.Open(container.Cgroup);
        using var poll = new EventPoll();
        poll.Watch(process.Number, PollEvents.Readable, OfProcess);
        poll.Watch(memory.Descriptor.Number, PollEvents.Readable, OfMemory);
        Watch(container, poll, memory, (long)interval.TotalMilliseconds);
        return 0;
    }

    private static void Watch(Container container, EventPoll poll, OomWatch memory, long interval)
    {
        var next = Environment.TickCount64 + interval;
        var ended = false;
        while (!ended)
        {
            var count = poll.Wait((int)Math.Clamp(next - Environment.TickCount64, 0, int.MaxValue));
            for (var i = 0; i < count; i++)
            {
                ended |= poll[i].Tag == OfProcess;
                if (poll[i].Tag == OfMemory && memory.Take())
                {
                    ConsoleText.WriteLine(1, Encoding.UTF8.GetString(Event("oom", container.State.Id, null)));
                }
            }

            if (!ended && Environment.TickCount64 >= next)
            {
                PrintStats(container);
                next += interval;
            }
        }
    }

    private static void PrintStats(Container container) =>
        ConsoleText.WriteLine(1, Encoding.UTF8.GetString(Event("stats", container.State.Id, StatsReader.Read(container.Cgroup))));

    private static byte[] Event(string type, string id, CgroupStats? stats) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("id", id);
        if (stats is not null)
        {
            json.WritePropertyName("data");
            StatsDocument.Write(json, stats);
        }

        json.WriteEndObject();
    });
}
