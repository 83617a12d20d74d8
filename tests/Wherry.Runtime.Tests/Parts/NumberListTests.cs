using Wherry.Runtime.Checks;

namespace Wherry.Runtime.Tests.Parts;

public sealed class NumberListTests
{
    [Theory]
    [InlineData("0-3,7", 0x8f)]
    [InlineData("", 0)]
    [InlineData("1", 2)]
    public void Lists_of_processors_become_masks(string list, ulong mask) => Assert.Equal([mask], NumberLists.Parse(list, "p"));

    [Theory]
    [InlineData("3-1")]
    [InlineData("a")]
    [InlineData("0-99999999999")]
    [InlineData("-1")]
    public void What_is_no_list_is_refused(string list) => Assert.Throws<Errors.WherryException>(() => NumberLists.Parse(list, "p"));
}
