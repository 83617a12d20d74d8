using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Containers;
using Wherry.Engine.State;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Containers;

public sealed class ContainerRegistryTests
{
    private readonly ContainerRegistry _registry = new();

    [Fact]
    public void Found_by_id_by_name_and_by_a_prefix_only_one_has()
    {
        var container = Add("aaab" + new string('0', 60), "web");
        Add("aaac" + new string('0', 60), "db");
        Assert.Same(container, _registry.Get(container.Id));
        Assert.Same(container, _registry.Get("web"));
        Assert.Same(container, _registry.Get("/web"));
        Assert.Same(container, _registry.Get("aaab"));
    }

    [Fact]
    public void A_prefix_that_two_have_is_refused()
    {
        Add("aaab" + new string('0', 60), "web");
        Add("aaac" + new string('0', 60), "db");
        Assert.Equal(ErrorKind.InvalidParameter, Assert.Throws<WherryException>(() => _registry.Get("aaa")).Kind);
    }

    [Fact]
    public void A_name_that_looks_like_a_prefix_wins_over_it()
    {
        Add("aaab" + new string('0', 60), "web");
        var named = Add("cccc" + new string('0', 60), "aaab");
        Assert.Same(named, _registry.Get("aaab"));
    }

    [Fact]
    public void A_taken_name_names_its_holder()
    {
        var container = Add("aaab" + new string('0', 60), "web");
        var error = Assert.Throws<WherryException>(() => _registry.ReserveName("web", "other"));
        Assert.Equal(ErrorKind.Conflict, error.Kind);
        Assert.Contains(container.Id, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_container_gives_its_name_back()
    {
        var container = Add("aaab" + new string('0', 60), "web");
        _registry.Remove(container);
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<WherryException>(() => _registry.Get("web")).Kind);
        _registry.ReserveName("web", "other");
    }

    private Container Add(string id, string name)
    {
        var container = new Container(new ContainerRecord
        {
            Id = id,
            Name = name,
            Created = DateTimeOffset.UnixEpoch,
            ImageId = "sha256:0",
            Config = new ContainerConfig(),
            Host = new HostConfig(),
        });
        _registry.ReserveName(name, id);
        _registry.Add(container);
        return container;
    }
}
