using Wherry.Engine.Execs;

namespace Wherry.Engine.Tests.Containers;

public sealed class ExecEnvironmentTests
{
    [Fact]
    public void Asked_variables_replace_in_place_and_add_at_the_end()
    {
        Assert.Equal(
            ["PATH=/bin", "A=2", "B=3"],
            ExecEnvironment.Compose(["PATH=/bin", "A=1"], ["A=2", "B=3"], tty: false));
    }

    [Fact]
    public void A_name_without_a_value_takes_the_variable_away()
    {
        Assert.Equal(["PATH=/bin"], ExecEnvironment.Compose(["PATH=/bin", "A=1"], ["A"], tty: false));
    }

    [Fact]
    public void A_terminal_sets_TERM_only_where_nobody_has()
    {
        Assert.Equal(["TERM=xterm"], ExecEnvironment.Compose([], [], tty: true));
        Assert.Equal(["TERM=vt100"], ExecEnvironment.Compose(["TERM=vt100"], [], tty: true));
    }
}
