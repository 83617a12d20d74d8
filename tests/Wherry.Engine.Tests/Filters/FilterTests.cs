using Wherry.Engine.Filters;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Filters;

public sealed class FilterTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly ContainerFilterSubject[] Containers =
    [
        new()
        {
            Id = "aaa111", Name = "web", Created = Start, ImageId = "sha256:1", State = "running",
            Labels = new Dictionary<string, string> { ["tier"] = "front", ["env"] = "prod" },
            Networks = ["bridge", "net1"],
            Published = [new FilterPort(8080, "tcp")],
            Exposed = [new FilterPort(80, "tcp")],
        },
        new()
        {
            Id = "bbb222", Name = "web-old", Created = Start.AddHours(1), ImageId = "sha256:2", State = "exited", ExitCode = 137,
            Volumes = ["pgdata", "/data"],
        },
        new() { Id = "ccc333", Name = "db", Created = Start.AddHours(2), ImageId = "sha256:3", State = "created" },
    ];

    private static string Select(string json, bool all = true)
    {
        var filter = new ContainerFilter(
            FilterArguments.Parse(json),
            all,
            name => Containers.FirstOrDefault(container => container.Name == name)?.Created ?? throw WherryException.NotFound($"No such container: {name}"),
            image => image == "base" ? ["sha256:1", "sha256:2"] : []);
        return string.Join(' ', filter.Apply(Containers).Select(container => container.Name));
    }

    [Theory]
    [InlineData("{\"name\":[\"web\"]}", "web web-old")]
    [InlineData("{\"name\":[\"^web$\"]}", "web")]
    [InlineData("{\"name\":[\"^/db$\"]}", "db")]
    [InlineData("{\"name\":[\"web-o[\",\"db\"]}", "db")]
    [InlineData("{\"id\":[\"^bbb\"]}", "web-old")]
    [InlineData("{\"id\":{\"ccc333\":true}}", "db")]
    [InlineData("{\"label\":[\"tier\"]}", "web")]
    [InlineData("{\"label\":[\"tier=front\",\"env=prod\"]}", "web")]
    [InlineData("{\"label\":[\"tier=front\",\"env=test\"]}", "")]
    [InlineData("{\"label\":{\"tier=front\":true}}", "web")]
    [InlineData("{\"status\":[\"exited\",\"created\"]}", "web-old db")]
    [InlineData("{\"exited\":[\"137\"]}", "web-old")]
    [InlineData("{\"exited\":[\"0\"]}", "")]
    [InlineData("{\"ancestor\":[\"base\"]}", "web web-old")]
    [InlineData("{\"ancestor\":[\"unknown\"]}", "")]
    [InlineData("{\"before\":[\"web-old\"]}", "web")]
    [InlineData("{\"since\":[\"web-old\"]}", "db")]
    [InlineData("{\"volume\":[\"pgdata\"]}", "web-old")]
    [InlineData("{\"volume\":[\"/data\"]}", "web-old")]
    [InlineData("{\"network\":[\"bridge\"]}", "web")]
    [InlineData("{\"publish\":[\"8000-8100\"]}", "web")]
    [InlineData("{\"publish\":[\"8080/udp\"]}", "")]
    [InlineData("{\"expose\":[\"80/tcp\"]}", "web")]
    [InlineData("{\"name\":[\"web\"],\"status\":[\"running\"]}", "web")]
    [InlineData("{}", "web web-old db")]
    public void Containers_are_chosen_as_docker_chooses_them(string json, string names) => Assert.Equal(names, Select(json));

    [Fact]
    public void Only_living_containers_are_listed_unless_all_or_a_status_is_asked_for()
    {
        Assert.Equal("web", Select("{}", all: false));
        Assert.Equal("db", Select("{\"status\":[\"created\"]}", all: false));
        Assert.Equal("", Select("{\"exited\":[\"137\"]}", all: false));
    }

    [Theory]
    [InlineData("{\"colour\":[\"red\"]}", "invalid filter 'colour'")]
    [InlineData("{\"status\":[\"asleep\"]}", "invalid filter 'status=asleep'")]
    [InlineData("{\"exited\":[\"x\"]}", "invalid filter 'exited=x'")]
    [InlineData("{\"publish\":[\"90-80\"]}", "invalid filter 'publish=90-80'")]
    [InlineData("[1]", "invalid filter: [1]")]
    [InlineData("{\"name\":", "invalid filter: {\"name\":")]
    [InlineData("{\"name\":5}", "invalid filter: {\"name\":5}")]
    public void Filters_that_make_no_sense_are_refused(string json, string message)
    {
        var failure = Assert.Throws<WherryException>(() => Select(json));
        Assert.Equal((ErrorKind.InvalidParameter, message), (failure.Kind, failure.Message));
    }

    [Fact]
    public void A_container_to_compare_with_must_exist() =>
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<WherryException>(() => Select("{\"before\":[\"nobody\"]}")).Kind);

    [Fact]
    public void A_pattern_made_to_run_for_ever_ends()
    {
        var filters = FilterArguments.Parse("{\"name\":[\"^(a+)+$\"]}");
        Assert.False(filters.MatchesPattern("name", new string('a', 5000) + "!"));
    }

    private static readonly ImageFilterSubject[] Images =
    [
        new() { Id = "1", Created = Start, RepoTags = ["debian:bookworm", "debian:12"], Labels = new Dictionary<string, string> { ["os"] = "debian" } },
        new() { Id = "2", Created = Start.AddHours(1), RepoTags = ["example.org/team/app:1.0"] },
        new() { Id = "3", Created = Start.AddHours(2) },
    ];

    [Theory]
    [InlineData("{\"dangling\":[\"true\"]}", "3")]
    [InlineData("{\"dangling\":[\"0\"]}", "1 2")]
    [InlineData("{\"label\":[\"os=debian\"]}", "1")]
    [InlineData("{\"before\":[\"2\"]}", "1")]
    [InlineData("{\"since\":[\"1\"]}", "2 3")]
    [InlineData("{\"reference\":[\"debian\"]}", "1")]
    [InlineData("{\"reference\":[\"deb*:12\"]}", "1")]
    [InlineData("{\"reference\":[\"*/*/app\"]}", "2")]
    [InlineData("{\"reference\":[\"*\"]}", "1")]
    [InlineData("{}", "1 2 3")]
    public void Images_are_chosen_as_docker_chooses_them(string json, string ids)
    {
        var filter = new ImageFilter(FilterArguments.Parse(json), name => Images.Single(image => image.Id == name).Created);
        Assert.Equal(ids, string.Join(' ', Images.Where(filter.Matches).Select(image => image.Id)));
    }

    [Fact]
    public void A_reference_filter_shows_only_the_tags_that_match()
    {
        var filter = new ImageFilter(FilterArguments.Parse("{\"reference\":[\"debian:12\"]}"), _ => Start);
        Assert.Equal(["debian:12"], filter.VisibleTags(Images[0]));
    }
}
