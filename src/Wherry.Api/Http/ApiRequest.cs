using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Wherry.Engine.Filters;
using Wherry.Engine.UserNamespaces;
using Wherry.Errors;

namespace Wherry.Api.Http;

/// <summary>One request as handlers see it: the route's parameter, the query in Docker's reading, and the body.</summary>
public sealed class ApiRequest(HttpContext http, ApiVersion version, string parameter)
{
    public HttpContext Http { get; } = http;

    /// <summary>The version the client speaks; answers keep to its shape.</summary>
    public ApiVersion Version { get; } = version;

    /// <summary>The id or name in the path; empty where the route has none.</summary>
    public string Parameter { get; } = parameter;

    /// <summary>Cancelled when the client goes away.</summary>
    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Who asks; null but over a unix socket.</summary>
    public Caller? Caller => Http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket ? PeerCredentials.Of(socket) : null;

    /// <summary>A query value; null where it is absent or empty.</summary>
    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) && values.Count > 0 && !string.IsNullOrEmpty(values[0])
        ? values[0]
        : null;

    /// <summary>All values of a query name that is given several times.</summary>
    public IReadOnlyList<string> QueryList(string name) =>
        Http.Request.Query.TryGetValue(name, out var values) ? [.. values.OfType<string>().Where(value => value.Length > 0)] : [];

    /// <summary>Everything is true that is not empty, <c>0</c>, <c>no</c>, <c>false</c> or <c>none</c>.</summary>
    public bool Flag(string name) => Query(name)?.Trim().ToLowerInvariant() is not (null or "" or "0" or "no" or "false" or "none");

    public int? Number(string name)
    {
        if (Query(name) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw WherryException.Invalid($"invalid value \"{text}\" for {name}: it must be a whole number");
    }

    public int RequiredNumber(string name) =>
        Number(name) ?? throw WherryException.Invalid($"the query parameter {name} is missing: it must be a whole number");

    public FilterArguments Filters() => FilterArguments.Parse(Query("filters"));

    /// <summary>The JSON body.</summary>
    public Task<T> BodyAsync<T>(JsonTypeInfo<T> type)
        where T : class => JsonBody.ReadAsync(Http.Request, type, Aborted);

    /// <summary>The JSON body; null where there is none, or where it says null.</summary>
    public async Task<T?> OptionalBodyAsync<T>(JsonTypeInfo<T> type)
        where T : class => JsonBody.IsAbsent(Http.Request) ? null : await JsonBody.ReadNullableAsync(Http.Request, type, Aborted).ConfigureAwait(false);

    public Task AnswerAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        JsonAnswer.WriteAsync(Http.Response, value, type, status, Aborted);

    /// <summary>A status without a body.</summary>
    public Task AnswerAsync(int status)
    {
        Http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public Task NoContentAsync() => AnswerAsync(StatusCodes.Status204NoContent);
}
