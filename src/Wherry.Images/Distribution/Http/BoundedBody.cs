using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>Bodies that are read whole are small, or refused.</summary>
internal static class BoundedBody
{
    internal static async Task<byte[]> ReadAsync(HttpResponseMessage response, int largest, CancellationToken cancel)
    {
        if (response.Content.Headers.ContentLength > largest)
            throw TooLarge(response, largest);
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        using var content = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, cancel)) > 0;)
        {
            if (content.Length + read > largest)
                throw TooLarge(response, largest);
            content.Write(buffer, 0, read);
        }
        return content.ToArray();
    }

    private static WherryException TooLarge(HttpResponseMessage response, int largest) =>
        new(ErrorKind.TooLarge, $"the answer of {response.RequestMessage?.RequestUri?.Authority} is larger than the {largest} bytes a document may have");
}
