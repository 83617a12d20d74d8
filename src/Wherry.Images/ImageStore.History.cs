namespace Wherry.Images;

/// <summary>How an image came to be.</summary>
public sealed partial class ImageStore
{
    /// <summary>The steps, newest first. Steps whose image the store has carry its ID and names.</summary>
    public IReadOnlyList<HistoryEntry> History(string reference)
    {
        var catalog = _catalog;
        var image = Find(reference);
        var entries = new List<HistoryEntry>(image.Config.History.Count);
        var layer = 0;
        foreach (var step in image.Config.History)
        {
            var size = step.EmptyLayer == true || layer >= image.LayerSizes.Count ? 0 : image.LayerSizes[layer++];
            entries.Add(new HistoryEntry("<missing>", step.Created ?? DateTimeOffset.UnixEpoch, step.CreatedBy ?? "", [], size, step.Comment ?? ""));
        }
        entries.Reverse();
        var maker = image;
        for (var i = 0; i < entries.Count && maker is not null; i++)
        {
            entries[i] = entries[i] with { Id = maker.Id, Tags = maker.ToImage().RepoTags };
            maker = maker.Record.Parent is { } parent ? catalog.Images.GetValueOrDefault(parent) : null;
        }
        return entries;
    }
}
