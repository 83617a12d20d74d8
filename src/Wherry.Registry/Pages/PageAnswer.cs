using System.Text;
using Microsoft.AspNetCore.Http;

namespace Wherry.Registry.Pages;

/// <summary>Sends pages: a frame around what is on them, and headers that let them load nothing from elsewhere.</summary>
internal static class PageAnswer
{
    internal const string StylePath = "style.css";

    internal const string Style = """
        :root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #57606a; --line: #d0d7de; --link: #0550ae; --shade: #f6f8fa; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9aa4af; --line: #30363d; --link: #79c0ff; --shade: #161b22; } }
        body { margin: 0 auto; max-width: 64rem; padding: 1rem; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
        a { color: var(--link); } a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        header { border-bottom: 1px solid var(--line); } header p { margin: 0 0 .5rem; }
        .table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
        caption { text-align: left; color: var(--faint); padding: .5rem 0; }
        th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        code, pre { font-family: ui-monospace, monospace; font-size: .9em; } code { overflow-wrap: anywhere; }
        pre { background: var(--shade); padding: .6rem; overflow-x: auto; border: 1px solid var(--line); }
        dt { color: var(--faint); } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
        .skip { position: absolute; left: -999px; } .skip:focus { position: static; }

        """;

    internal static Task SendAsync(HttpContext context, string title, Action<HtmlWriter> content, int status = StatusCodes.Status200OK)
    {
        var page = new HtmlWriter();
        page.Add($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.Add($"<title>{title} · Wherry registry</title>\n<link rel=\"stylesheet\" href=\"/ui/{StylePath}\">\n</head>\n<body>");
        page.Add($"<a class=\"skip\" href=\"#content\">Skip to content</a>\n<header><p><a href=\"/\">Wherry registry</a></p></header>\n<main id=\"content\">");
        page.Add($"<h1>{title}</h1>");
        content(page);
        page.Add($"</main>\n</body>\n</html>");
        return SendAsync(context, Encoding.UTF8.GetBytes(page.ToString()), "text/html; charset=utf-8", status);
    }

    internal static Task FailAsync(HttpContext context, int status, string message) =>
        SendAsync(context, status switch { 401 => "Please log in", 404 => "Not found", _ => "That did not work" }, page => page.Add($"<p>{message}</p>"), status);

    internal static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body, string mediaType, int status)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = mediaType;
        response.ContentLength = body.Length;
        response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = mediaType.StartsWith("text/css", StringComparison.Ordinal) ? "max-age=3600" : "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
