using Wherry.Engine.Filters;

namespace Wherry.Engine.Containers;

/// <param name="All">Those that do not run, too.</param>
/// <param name="Limit">At most so many, the newest, running or not; 0 for all.</param>
/// <param name="Size">Measure what each has written.</param>
/// <param name="Filters">See <see cref="ContainerFilter"/>.</param>
public sealed record ContainerListQuery(bool All, int Limit, bool Size, FilterArguments Filters);
