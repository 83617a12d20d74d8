namespace Wherry.Runtime.Tests.Harness;

/// <summary>
/// The test shows that a property of runtime-spec is carried out. docs/runtime-spec.md is made of these, so it
/// can't claim what no test shows.
/// </summary>
/// <param name="name">The property's path in config.json, e.g. <c>linux.timeOffsets</c>.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class SpecPropertyAttribute(string name) : Attribute
{
    public string Name => name;

    /// <summary>Where the test shows that it is refused by name. The test itself asks for this (<see cref="ConformanceTests.IsRefused"/>), so the page can't say one thing and the test show another.</summary>
    public RuntimeMode RefusedIn { get; init; }

    /// <summary>Where the test shows that something else is done in its place, which <see cref="Otherwise"/> says.</summary>
    public RuntimeMode OtherwiseIn { get; init; }

    /// <summary>What that is, for the page.</summary>
    public string Otherwise { get; init; } = "";
}
