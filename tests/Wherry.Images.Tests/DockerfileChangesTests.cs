using Wherry.Errors;
using Wherry.Images.Changes;
using Wherry.Oci.Images;

namespace Wherry.Images.Tests;

public sealed class DockerfileChangesTests
{
    private static readonly ExecutionParameters Before = new() { Cmd = ["old"], Env = ["PATH=/bin", "A=1"], WorkingDir = "/srv" };

    [Fact]
    public void Commands_come_in_both_forms()
    {
        Assert.Equal(["a", "b c"], Apply("CMD [\"a\", \"b c\"]").Cmd);
        Assert.Equal(["/bin/sh", "-c", "a b"], Apply("cmd a b").Cmd);
        Assert.Equal(["/bin/sh", "-c", "[a]"], Apply("CMD [a]").Cmd);
    }

    [Fact]
    public void An_entrypoint_drops_a_command_that_was_not_given_with_it()
    {
        Assert.Null(Apply("ENTRYPOINT [\"x\"]").Cmd);
        Assert.Equal(["y"], Apply("CMD [\"y\"]", "ENTRYPOINT [\"x\"]").Cmd);
    }

    [Fact]
    public void Variables_quotes_and_old_spellings_are_understood()
    {
        Assert.Equal(["PATH=/bin:/x", "A=1", "B=two words", "C=$A"], Apply("ENV PATH=$PATH:/x B=\"two words\" C='$A'").Env);
        Assert.Equal(["PATH=/bin", "A=2  3"], Apply("ENV A 2  3").Env);
        Assert.Equal(["PATH=/bin", "A=1", "D=none-yes"], Apply("ENV D=${NO:-none}-${A:+yes}").Env);
        Assert.Equal("v w", Apply("LABEL k=\"v w\" l=1").Labels!["k"]);
    }

    [Fact]
    public void The_other_lines_change_what_they_name()
    {
        var after = Apply("EXPOSE 80 90-91/udp", "VOLUME /a /b", "VOLUME [\"/c d\"]", "USER 1:2", "WORKDIR sub", "STOPSIGNAL SIGINT", "ONBUILD RUN x", "HEALTHCHECK --interval=1m30s --retries=2 CMD curl x");
        Assert.Equal(["80/tcp", "90/udp", "91/udp"], after.ExposedPorts!.Keys);
        Assert.Equal(["/a", "/b", "/c d"], after.Volumes!.Keys);
        Assert.Equal(("1:2", "/srv/sub", "SIGINT"), (after.User, after.WorkingDir, after.StopSignal));
        Assert.Equal(["RUN x"], after.OnBuild);
        Assert.Equal(["CMD-SHELL", "curl x"], after.Healthcheck!.Test);
        Assert.Equal((90_000_000_000, 2), (after.Healthcheck.Interval, after.Healthcheck.Retries));
        Assert.Equal(["NONE"], Apply("HEALTHCHECK NONE").Healthcheck!.Test);
    }

    [Theory]
    [InlineData("COPY a b", "COPY is not a valid change command")]
    [InlineData("CMD", "CMD requires at least one argument")]
    [InlineData("ENV A", "ENV must have two arguments")]
    [InlineData("EXPOSE x", "invalid containerPort: x")]
    [InlineData("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger")]
    [InlineData("ENV A=\"x", "unexpected end of statement while looking for matching double-quote")]
    [InlineData("HEALTHCHECK --interval=x CMD y", "--interval: invalid duration \"x\"")]
    public void What_is_wrong_is_named(string line, string message)
    {
        var failure = Assert.Throws<WherryException>(() => Apply(line));
        Assert.Equal((ErrorKind.InvalidParameter, message), (failure.Kind, failure.Message));
    }

    private static ExecutionParameters Apply(params string[] lines) => DockerfileChanges.Apply(Before, lines);
}
