// Package stage is what a lesson is played on: the words that it may use, and what runs it.
//
// A lesson is a [Scenario]: what the server does, what the client does and, where the segments themselves are the
// lesson, what the wire does with them. Each side is played against a [Side]. [Both] plays them in one process,
// [Serve] and [Client] in two terminals or on two hosts, always by the same code: the sides meet over the connection
// itself, or by waiting for a state of the kernel, never through memory they share.
//
// The words of a lesson:
//
//   - The calls of the sockets API are methods of [Conn], named after the system call each makes: Bind, Listen, Accept,
//     Connect, Write, Read, Shutdown, Close; [Set] and [Get] for options. A call that fails ends the run. Where failing
//     is the lesson there is a Try form, which hands the error over. [Side.Socket] makes a socket; [Side.Listen] and
//     [Side.Dial] are the usual openings.
//   - What must be is expected: [Conn.Expect] a state of this end, [Conn.ExpectPeer] of the other one,
//     [Side.ExpectChild] of a connection that nobody has accepted yet, [Conn.ExpectGone] and [Conn.ExpectEnded] an end;
//     [Side.Await] whatever else must come, [Side.Check] and [Side.CheckErrno] what is there now. An expectation waits
//     for the kernel, is recorded with what was got, and ends the run if it does not come.
//   - What the kernel has to say beside states: [Conn.Info] (TCP_INFO), [Conn.Diag] (sock_diag), [Side.Counters] and
//     [Side.Counted].
//   - States are held by construction, never caught by luck: [Conn.Fill] fills both buffers and the window,
//     [SmallBuffers] makes that quick, [Conn.TryDropIncoming] has a socket see no segments.
//   - Where the sides must agree on something they say it over a connection: [Conn.Say], [Conn.Hear],
//     [Conn.HearWord]. A client begins with [Side.Request], which a server reads with [Side.ReadRequest]. Where that is
//     beside the lesson, [Control] says so of a whole connection, and [Conn.Sign] and [Conn.HearSign] of a word: the
//     timeline shows it as one line, and all of it with --all.
//   - [Conn.Name] tells the sockets of one side apart.
//   - [Side.Note] explains, in a sentence; [Side.Part] is the heading of the lesson's next part, and [Side.Table] what
//     they all came to; [Side.Hold] stays where the lesson is for as long as the user wants to look.
//   - On the wire, [Wire.Rule] loses, holds, doubles or reorders segments; [Wire.AwaitHeld] and [Wire.Release] hold one
//     until its time has come; [Wire.AwaitSegment] and [Wire.AwaitAnswer] wait for what is sent; [Wire.Inject] delivers
//     what nobody sent; [Wire.Expect] is about the end of either side.
//
// A call on a [Conn] is followed by a look at every socket of the run, and what has changed is in the timeline
// (package observe). Nothing here reaches into a lesson, and a lesson reaches no further than these words.
package stage
