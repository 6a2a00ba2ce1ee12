internal import NetpollProtobuf

extension Parser {
    mutating func parseService(_ path: [Int32]) throws(Failure)
        -> Google_Protobuf_ServiceDescriptorProto
    {
        let element = open(path)
        advance()
        var service = Google_Protobuf_ServiceDescriptorProto()
        service.name = try record(self.path(element, PathNumber.Service.name)) {
            (parser) throws(Failure) in
            try parser.identifier("a service name")
        }
        var options: [Google_Protobuf_UninterpretedOption] = []
        try block("service \"\(service.name)\"", of: element) { (parser) throws(Failure) in
            if parser.isAt("option") {
                let location = parser.open(parser.path(element, PathNumber.Service.options))
                options.append(
                    try parser.parseOption(location, index: options.count, isStatement: true)
                )
                parser.close(location)
            } else {
                try parser.parseMethod(&service, element)
            }
        }
        if !options.isEmpty { service.options.uninterpretedOption = options }
        close(element)
        return service
    }

    private mutating func parseMethod(
        _ service: inout Google_Protobuf_ServiceDescriptorProto,
        _ parent: Element
    ) throws(Failure) {
        let index = Int32(clamping: service.method.count)
        let element = open(path(parent, PathNumber.Service.method, index))
        try expect("rpc")
        var method = Google_Protobuf_MethodDescriptorProto()
        method.name = try record(path(element, PathNumber.Method.name)) {
            (parser) throws(Failure) in
            try parser.identifier("a method name")
        }
        let input = try parseMethodType(
            path(element, PathNumber.Method.clientStreaming),
            path(element, PathNumber.Method.input)
        )
        method.inputType = input.name
        if input.isStream { method.clientStreaming = true }
        try expect("returns")
        let output = try parseMethodType(
            path(element, PathNumber.Method.serverStreaming),
            path(element, PathNumber.Method.output)
        )
        method.outputType = output.name
        if output.isStream { method.serverStreaming = true }
        if isAt("{") {
            try parseMethodOptions(&method, element)
        } else {
            try expectEnd(";", of: element)
        }
        close(element)
        service.method.append(method)
    }

    private mutating func parseMethodType(_ streamPath: [Int32], _ typePath: [Int32])
        throws(Failure) -> (name: String, isStream: Bool)
    {
        try expect("(")
        let isStream = isAt("stream")
        if isStream {
            record(streamPath, from: token, to: token)
            advance()
        }
        let name = try record(typePath) { (parser) throws(Failure) in try parser.typeName() }
        try expect(")")
        return (name, isStream)
    }

    private mutating func parseMethodOptions(
        _ method: inout Google_Protobuf_MethodDescriptorProto,
        _ element: Element
    ) throws(Failure) {
        var options: [Google_Protobuf_UninterpretedOption] = []
        try block("method \"\(method.name)\"", of: element) { (parser) throws(Failure) in
            let location = parser.open(parser.path(element, PathNumber.Method.options))
            options.append(
                try parser.parseOption(location, index: options.count, isStatement: true)
            )
            parser.close(location)
        }
        // An empty block counts as options too.
        method.options.uninterpretedOption = options
    }
}
