namespace Wherry.Api.Contracts.Json;

/// <summary>The value of a set written as an object, such as <c>"ExposedPorts": {"80/tcp": {}}</c>.</summary>
public sealed record EmptyObject
{
    public static EmptyObject Instance { get; } = new();
}
