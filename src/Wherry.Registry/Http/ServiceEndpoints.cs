using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Wherry.Registry.Authentication;
using Wherry.Registry.Collection;
using Wherry.Registry.Metrics;

namespace Wherry.Registry.Http;

/// <summary>What a registry offers besides the distribution API: health, metrics, tokens, collection on demand.</summary>
internal sealed class ServiceEndpoints(Gatekeeper gatekeeper, Collector? collector, TimeSpan grace, RegistryMetrics metrics, Func<string?> health, IRegistryLog log)
{
    private const int LargestForm = 16 * 1024;

    internal static Task BaseAsync(RegistryRequest request) => request.AnswerAsync("{}"u8.ToArray(), "application/json");

    /// <summary>200 while content can be read (and written, where it is taken in), else 503 with the reason.</summary>
    internal Task HealthAsync(RegistryRequest request) => health() is { } trouble
        ? request.AnswerAsync(Encoding.UTF8.GetBytes(trouble + "\n"), "text/plain; charset=utf-8", StatusCodes.Status503ServiceUnavailable)
        : request.AnswerAsync("ok\n"u8.ToArray(), "text/plain; charset=utf-8");

    internal Task MetricsAsync(RegistryRequest request) =>
        request.AnswerAsync(Encoding.UTF8.GetBytes(metrics.Text()), "text/plain; version=0.0.4; charset=utf-8");

    /// <summary>Removes what nobody needs, now; <c>grace</c> overrides the time set, in seconds.</summary>
    internal async Task CollectAsync(RegistryRequest request)
    {
        if (collector is null)
        {
            throw RegistryException.ReadOnly("this registry has nothing of its own to collect");
        }

        var untouched = grace;
        if (request.Query("grace") is { } text)
        {
            untouched = uint.TryParse(text, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : throw new RegistryException(400, ErrorCode.SizeInvalid, "grace must be a number of seconds", text);
        }

        var report = await collector.RunAsync(untouched, request.Aborted).ConfigureAwait(false);
        log.Info($"{request.Identity} collected: {CollectionSchedule.Describe(report)}");
        await request.AnswerAsync(report, RegistryJson.Default.CollectionReport).ConfigureAwait(false);
    }

    /// <summary>
    /// Docker's token endpoint: GET with Basic credentials or none, or POST with a form as OAuth's password grant.
    /// </summary>
    internal async Task TokenAsync(RegistryRequest request)
    {
        if (gatekeeper.Issuer is not { } issuer)
        {
            throw new RegistryException(404, ErrorCode.Unsupported, "this registry gives out no tokens");
        }

        string? user;
        IEnumerable<string?> scopes;
        if (HttpMethods.IsPost(request.Http.Request.Method))
        {
            var body = await request.BodyAsync(LargestForm, () => new RegistryException(413, ErrorCode.SizeInvalid, "the form is too large")).ConfigureAwait(false);
            var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
            if (form["grant_type"] != "password")
            {
                throw new RegistryException(400, ErrorCode.Unsupported, "only grant_type=password is supported", form["grant_type"]);
            }

            user = (await gatekeeper.LogInAsync(form["username"].ToString(), form["password"].ToString(), request.Aborted).ConfigureAwait(false)).Name;
            scopes = form["scope"];
        }
        else
        {
            user = request.Identity.Name;
            scopes = request.Http.Request.Query["scope"];
        }

        var answer = issuer.Issue(user, scopes.OfType<string>().SelectMany(scope => scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        request.Http.Response.Headers.CacheControl = "no-store";
        await request.AnswerAsync(answer, RegistryJson.Default.TokenAnswer).ConfigureAwait(false);
    }
}
