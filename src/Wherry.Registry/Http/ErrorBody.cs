namespace Wherry.Registry.Http;

/// <summary>The body of every failure (distribution-spec, "Error Codes").</summary>
internal sealed record ErrorBody
{
    public required IReadOnlyList<ErrorEntry> Errors { get; init; }
}

internal sealed record ErrorEntry
{
    public required string Code { get; init; }

    public required string Message { get; init; }

    public string? Detail { get; init; }
}

/// <summary>The answer of <c>tags/list</c>.</summary>
internal sealed record TagList
{
    public required string Name { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }
}

/// <summary>The answer of <c>_catalog</c>.</summary>
internal sealed record RepositoryList
{
    public required IReadOnlyList<string> Repositories { get; init; }
}
