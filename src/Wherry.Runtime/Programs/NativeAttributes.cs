using System.Runtime.InteropServices;
using System.Text;
using Wherry.Linux.Kernel;

namespace Wherry.Runtime.Programs;

/// <summary><see cref="ProgramAttributes"/> in native memory, for as long as a plan refers to them.</summary>
internal sealed unsafe class NativeAttributes : IDisposable
{
    private readonly ProgramAttributes _attributes;
    private readonly NativeScheduler* _scheduler;
    private readonly ulong* _nodes;
    private readonly NativeLabel* _labels;
    private readonly NativeStrings _files;
    private readonly NativeStrings _texts;

    public NativeAttributes(ProgramAttributes attributes)
    {
        _attributes = attributes;
        _files = new NativeStrings([.. attributes.Labels.Select(label => "thread-self/" + label.File)]);
        _texts = new NativeStrings([.. attributes.Labels.Select(label => label.Text)]);
        _scheduler = (NativeScheduler*)NativeMemory.AllocZeroed(NativeScheduler.Size);
        *_scheduler = attributes.Scheduler ?? default;
        _nodes = (ulong*)NativeMemory.AllocZeroed((nuint)attributes.MemoryNodes.Length + 1, sizeof(ulong));
        attributes.MemoryNodes.CopyTo(new Span<ulong>(_nodes, attributes.MemoryNodes.Length));
        _labels = (NativeLabel*)NativeMemory.AllocZeroed((nuint)attributes.Labels.Count + 1, (nuint)sizeof(NativeLabel));
        for (var i = 0; i < attributes.Labels.Count; i++)
        {
            _labels[i] = new NativeLabel { File = _files.Address[i], Text = _texts.Address[i], Length = Encoding.UTF8.GetByteCount(attributes.Labels[i].Text) };
        }
    }

    public void AddTo(ProgramPlan* plan, int hostProc)
    {
        plan->Scheduler = _attributes.Scheduler is null ? null : _scheduler;
        plan->HasIoPriority = _attributes.IoPriority is not null;
        plan->IoPriority = _attributes.IoPriority ?? 0;
        plan->HasPersonality = _attributes.Personality is not null;
        plan->Personality = _attributes.Personality ?? 0;
        plan->HasMemoryPolicy = _attributes.MemoryMode is not null;
        plan->MemoryMode = _attributes.MemoryMode ?? 0;
        plan->MemoryNodes = _attributes.MemoryNodes.Length == 0 ? null : _nodes;

        // The kernel takes one bit less than it is told.
        plan->MemoryNodeBits = _attributes.MemoryNodes.Length == 0 ? 0 : (_attributes.MemoryNodes.Length * 64) + 1;
        plan->ProcDirectory = hostProc;
        plan->Labels = _labels;
        plan->LabelCount = _attributes.Labels.Count;
    }

    public void Dispose()
    {
        NativeMemory.Free(_scheduler);
        NativeMemory.Free(_nodes);
        NativeMemory.Free(_labels);
        _files.Dispose();
        _texts.Dispose();
    }
}
