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
}
