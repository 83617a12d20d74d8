using Wherry.Api.Contracts.Containers;
using Wherry.Engine.State;

namespace Wherry.Engine.Tests.Containers;

public sealed class ContainerStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("wherry-store-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_record_comes_back_as_it_was_written()
    {
        var store = new ContainerStore(_root);
        var record = Record("a");
        store.BeginCreate(record.Id);
        store.CompleteCreate(record);
        store.Save(record with { Life = record.Life with { Status = ContainerStatus.Exited, ExitCode = 3 } });

        var loaded = Assert.Single(new ContainerStore(_root).LoadAll(Fail));
        Assert.Equal(record.Id, loaded.Id);
        Assert.Equal(ContainerStatus.Exited, loaded.Life.Status);
        Assert.Equal(3, loaded.Life.ExitCode);
        Assert.Equal(["sh", "-c"], loaded.Config.Entrypoint);
    }

    [Fact]
    public void A_creation_cut_short_is_not_a_container_and_is_found_for_sweeping()
    {
        var store = new ContainerStore(_root);
        var directory = store.BeginCreate(new string('b', 64));
        Assert.Empty(store.LoadAll(Fail));
        Assert.Equal([directory], store.ListUnfinished());
    }

    [Fact]
    public void A_removal_cut_short_is_not_a_container_and_is_found_for_sweeping()
    {
        var store = new ContainerStore(_root);
        var record = Record("c");
        store.BeginCreate(record.Id);
        store.CompleteCreate(record);
        var directory = store.BeginRemove(record.Id);
        Assert.Empty(store.LoadAll(Fail));
        Assert.Equal([directory], store.ListUnfinished());
    }

    [Fact]
    public void A_damaged_record_is_reported_and_the_others_are_loaded()
    {
        var store = new ContainerStore(_root);
        foreach (var record in new[] { Record("d"), Record("e") })
        {
            store.BeginCreate(record.Id);
            store.CompleteCreate(record);
        }

        File.WriteAllText(Path.Combine(store.DirectoryOf(Record("d").Id), "container.json"), "{\"Id\":");
        var reports = new List<string>();
        var loaded = Assert.Single(store.LoadAll(reports.Add));
        Assert.Equal(Record("e").Id, loaded.Id);
        Assert.Contains(Record("d").Id, Assert.Single(reports), StringComparison.Ordinal);
    }

    private static void Fail(string report) => Assert.Fail(report);

    private static ContainerRecord Record(string digit) => new()
    {
        Id = string.Concat(Enumerable.Repeat(digit, 64)),
        Name = "name-" + digit,
        Created = DateTimeOffset.UnixEpoch,
        ImageId = "sha256:" + new string('0', 64),
        Config = new ContainerConfig { Entrypoint = ["sh", "-c"], Image = "busybox" },
        Host = new HostConfig { NetworkMode = "bridge" },
    };
}
