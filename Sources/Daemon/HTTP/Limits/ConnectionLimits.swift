internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Ends connections whose client sends too slowly or too much, or does not read.
///
/// Hummingbird's own handler ends idle ones; it does not see a body that trickles in, and drains a refused body however
/// long it is.
final class ConnectionLimits: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let refusals: RefusalLog
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    private var bodyBytes = 0
    private var unanswered = 0
    private var isEnding = false

    init(refusals: RefusalLog) { self.refusals = refusals }

    func handlerAdded(context: ChannelHandlerContext) {
        setDeadline(HTTPLimits.headTime, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            bodyBytes = 0
            unanswered += 1
            setDeadline(HTTPLimits.bodyTime, context)
        case .body(let part):
            // The part that goes beyond the limit is passed on: it is what tells the reader of the body.
            let wasWithin = bodyBytes <= HTTPLimits.body
            bodyBytes += part.readableBytes
            if !wasWithin { return endIfRefused(context) }
        case .end:
            deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        context.write(data, promise: promise)
        unanswered -= 1
        endIfRefused(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable { stall = close(after: HTTPLimits.stallTime, because: .notReading, context) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError || error is HTTP1TypeConversionError { refusals.note(.malformed) }
        context.fireErrorCaught(error)
    }

    /// Closes a connection that goes on sending a body after it was refused.
    private func endIfRefused(_ context: ChannelHandlerContext) {
        guard bodyBytes > HTTPLimits.body, unanswered <= 0, !isEnding else { return }
        isEnding = true
        deadline?.cancel()
        deadline = close(after: HTTPLimits.lingerTime, because: nil, context)
    }

    private func setDeadline(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        deadline?.cancel()
        deadline = close(after: time, because: .tooSlow, context)
    }

    private func close(
        after time: TimeAmount, because kind: RefusalLog.Kind?, _ context: ChannelHandlerContext
    ) -> Scheduled<Void> {
        let channel = context.channel
        let refusals = refusals
        return context.eventLoop.scheduleTask(in: time) {
            if let kind { refusals.note(kind) }
            channel.close(promise: nil)
        }
    }
}
