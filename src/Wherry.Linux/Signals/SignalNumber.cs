namespace Wherry.Linux.Signals;

/// <summary>Signal numbers (signal(7)); the same on x86-64 and arm64.</summary>
public static class SignalNumber
{
    public const int Hup = 1;
    public const int Int = 2;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int Pipe = 13;
    public const int Term = 15;
    public const int Chld = 17;
    public const int Cont = 18;
    public const int Stop = 19;
    public const int Ttin = 21;
    public const int Ttou = 22;
    public const int Winch = 28;
    public const int Sys = 31;
    public const int Last = 64;
}
