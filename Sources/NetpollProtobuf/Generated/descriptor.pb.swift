// swift-format-ignore-file
// The messages of google/protobuf/descriptor.proto (protobuf 3.21), as plain structs.

public struct Google_Protobuf_FileDescriptorSet: Sendable, Hashable {
    public var file: [Google_Protobuf_FileDescriptorProto] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_FileDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var package: String {
        get { _package ?? "" }
        set { _package = newValue }
    }
    public var hasPackage: Bool { _package != nil }
    public mutating func clearPackage() { _package = nil }
    private var _package: String?
    public var dependency: [String] = []
    public var publicDependency: [Int32] = []
    public var weakDependency: [Int32] = []
    public var messageType: [Google_Protobuf_DescriptorProto] = []
    public var enumType: [Google_Protobuf_EnumDescriptorProto] = []
    public var service: [Google_Protobuf_ServiceDescriptorProto] = []
    public var `extension`: [Google_Protobuf_FieldDescriptorProto] = []
    public var options: Google_Protobuf_FileOptions {
        get { _options ?? Google_Protobuf_FileOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_FileOptions?
    public var sourceCodeInfo: Google_Protobuf_SourceCodeInfo {
        get { _sourceCodeInfo ?? Google_Protobuf_SourceCodeInfo() }
        set { _sourceCodeInfo = newValue }
    }
    public var hasSourceCodeInfo: Bool { _sourceCodeInfo != nil }
    public mutating func clearSourceCodeInfo() { _sourceCodeInfo = nil }
    private var _sourceCodeInfo: Google_Protobuf_SourceCodeInfo?
    public var syntax: String {
        get { _syntax ?? "" }
        set { _syntax = newValue }
    }
    public var hasSyntax: Bool { _syntax != nil }
    public mutating func clearSyntax() { _syntax = nil }
    private var _syntax: String?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_DescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var field: [Google_Protobuf_FieldDescriptorProto] = []
    public var `extension`: [Google_Protobuf_FieldDescriptorProto] = []
    public var nestedType: [Google_Protobuf_DescriptorProto] = []
    public var enumType: [Google_Protobuf_EnumDescriptorProto] = []
    public var extensionRange: [Google_Protobuf_DescriptorProto.ExtensionRange] = []
    public var oneofDecl: [Google_Protobuf_OneofDescriptorProto] = []
    public var options: Google_Protobuf_MessageOptions {
        get { _options ?? Google_Protobuf_MessageOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_MessageOptions?
    public var reservedRange: [Google_Protobuf_DescriptorProto.ReservedRange] = []
    public var reservedName: [String] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public struct ExtensionRange: Sendable, Hashable {
        public var start: Int32 {
            get { _start ?? 0 }
            set { _start = newValue }
        }
        public var hasStart: Bool { _start != nil }
        public mutating func clearStart() { _start = nil }
        private var _start: Int32?
        public var end: Int32 {
            get { _end ?? 0 }
            set { _end = newValue }
        }
        public var hasEnd: Bool { _end != nil }
        public mutating func clearEnd() { _end = nil }
        private var _end: Int32?
        public var options: Google_Protobuf_ExtensionRangeOptions {
            get { _options ?? Google_Protobuf_ExtensionRangeOptions() }
            set { _options = newValue }
        }
        public var hasOptions: Bool { _options != nil }
        public mutating func clearOptions() { _options = nil }
        private var _options: Google_Protobuf_ExtensionRangeOptions?
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
    public struct ReservedRange: Sendable, Hashable {
        public var start: Int32 {
            get { _start ?? 0 }
            set { _start = newValue }
        }
        public var hasStart: Bool { _start != nil }
        public mutating func clearStart() { _start = nil }
        private var _start: Int32?
        public var end: Int32 {
            get { _end ?? 0 }
            set { _end = newValue }
        }
        public var hasEnd: Bool { _end != nil }
        public mutating func clearEnd() { _end = nil }
        private var _end: Int32?
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
}
public struct Google_Protobuf_ExtensionRangeOptions: Sendable, Hashable {
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_FieldDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var number: Int32 {
        get { _number ?? 0 }
        set { _number = newValue }
    }
    public var hasNumber: Bool { _number != nil }
    public mutating func clearNumber() { _number = nil }
    private var _number: Int32?
    public var label: Google_Protobuf_FieldDescriptorProto.Label {
        get { _label ?? .optional }
        set { _label = newValue }
    }
    public var hasLabel: Bool { _label != nil }
    public mutating func clearLabel() { _label = nil }
    private var _label: Google_Protobuf_FieldDescriptorProto.Label?
    public var type: Google_Protobuf_FieldDescriptorProto.TypeEnum {
        get { _type ?? .double }
        set { _type = newValue }
    }
    public var hasType: Bool { _type != nil }
    public mutating func clearType() { _type = nil }
    private var _type: Google_Protobuf_FieldDescriptorProto.TypeEnum?
    public var typeName: String {
        get { _typeName ?? "" }
        set { _typeName = newValue }
    }
    public var hasTypeName: Bool { _typeName != nil }
    public mutating func clearTypeName() { _typeName = nil }
    private var _typeName: String?
    public var extendee: String {
        get { _extendee ?? "" }
        set { _extendee = newValue }
    }
    public var hasExtendee: Bool { _extendee != nil }
    public mutating func clearExtendee() { _extendee = nil }
    private var _extendee: String?
    public var defaultValue: String {
        get { _defaultValue ?? "" }
        set { _defaultValue = newValue }
    }
    public var hasDefaultValue: Bool { _defaultValue != nil }
    public mutating func clearDefaultValue() { _defaultValue = nil }
    private var _defaultValue: String?
    public var oneofIndex: Int32 {
        get { _oneofIndex ?? 0 }
        set { _oneofIndex = newValue }
    }
    public var hasOneofIndex: Bool { _oneofIndex != nil }
    public mutating func clearOneofIndex() { _oneofIndex = nil }
    private var _oneofIndex: Int32?
    public var jsonName: String {
        get { _jsonName ?? "" }
        set { _jsonName = newValue }
    }
    public var hasJsonName: Bool { _jsonName != nil }
    public mutating func clearJsonName() { _jsonName = nil }
    private var _jsonName: String?
    public var options: Google_Protobuf_FieldOptions {
        get { _options ?? Google_Protobuf_FieldOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_FieldOptions?
    public var proto3Optional: Bool {
        get { _proto3Optional ?? false }
        set { _proto3Optional = newValue }
    }
    public var hasProto3Optional: Bool { _proto3Optional != nil }
    public mutating func clearProto3Optional() { _proto3Optional = nil }
    private var _proto3Optional: Bool?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public enum TypeEnum: Int32, Sendable, Hashable, CaseIterable {
        case double = 1
        case float = 2
        case int64 = 3
        case uint64 = 4
        case int32 = 5
        case fixed64 = 6
        case fixed32 = 7
        case bool = 8
        case string = 9
        case group = 10
        case message = 11
        case bytes = 12
        case uint32 = 13
        case `enum` = 14
        case sfixed32 = 15
        case sfixed64 = 16
        case sint32 = 17
        case sint64 = 18
    }
    public enum Label: Int32, Sendable, Hashable, CaseIterable {
        case optional = 1
        case required = 2
        case repeated = 3
    }
}
public struct Google_Protobuf_OneofDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var options: Google_Protobuf_OneofOptions {
        get { _options ?? Google_Protobuf_OneofOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_OneofOptions?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_EnumDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var value: [Google_Protobuf_EnumValueDescriptorProto] = []
    public var options: Google_Protobuf_EnumOptions {
        get { _options ?? Google_Protobuf_EnumOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_EnumOptions?
    public var reservedRange: [Google_Protobuf_EnumDescriptorProto.EnumReservedRange] = []
    public var reservedName: [String] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public struct EnumReservedRange: Sendable, Hashable {
        public var start: Int32 {
            get { _start ?? 0 }
            set { _start = newValue }
        }
        public var hasStart: Bool { _start != nil }
        public mutating func clearStart() { _start = nil }
        private var _start: Int32?
        public var end: Int32 {
            get { _end ?? 0 }
            set { _end = newValue }
        }
        public var hasEnd: Bool { _end != nil }
        public mutating func clearEnd() { _end = nil }
        private var _end: Int32?
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
}
public struct Google_Protobuf_EnumValueDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var number: Int32 {
        get { _number ?? 0 }
        set { _number = newValue }
    }
    public var hasNumber: Bool { _number != nil }
    public mutating func clearNumber() { _number = nil }
    private var _number: Int32?
    public var options: Google_Protobuf_EnumValueOptions {
        get { _options ?? Google_Protobuf_EnumValueOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_EnumValueOptions?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_ServiceDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var method: [Google_Protobuf_MethodDescriptorProto] = []
    public var options: Google_Protobuf_ServiceOptions {
        get { _options ?? Google_Protobuf_ServiceOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_ServiceOptions?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_MethodDescriptorProto: Sendable, Hashable {
    public var name: String {
        get { _name ?? "" }
        set { _name = newValue }
    }
    public var hasName: Bool { _name != nil }
    public mutating func clearName() { _name = nil }
    private var _name: String?
    public var inputType: String {
        get { _inputType ?? "" }
        set { _inputType = newValue }
    }
    public var hasInputType: Bool { _inputType != nil }
    public mutating func clearInputType() { _inputType = nil }
    private var _inputType: String?
    public var outputType: String {
        get { _outputType ?? "" }
        set { _outputType = newValue }
    }
    public var hasOutputType: Bool { _outputType != nil }
    public mutating func clearOutputType() { _outputType = nil }
    private var _outputType: String?
    public var options: Google_Protobuf_MethodOptions {
        get { _options ?? Google_Protobuf_MethodOptions() }
        set { _options = newValue }
    }
    public var hasOptions: Bool { _options != nil }
    public mutating func clearOptions() { _options = nil }
    private var _options: Google_Protobuf_MethodOptions?
    public var clientStreaming: Bool {
        get { _clientStreaming ?? false }
        set { _clientStreaming = newValue }
    }
    public var hasClientStreaming: Bool { _clientStreaming != nil }
    public mutating func clearClientStreaming() { _clientStreaming = nil }
    private var _clientStreaming: Bool?
    public var serverStreaming: Bool {
        get { _serverStreaming ?? false }
        set { _serverStreaming = newValue }
    }
    public var hasServerStreaming: Bool { _serverStreaming != nil }
    public mutating func clearServerStreaming() { _serverStreaming = nil }
    private var _serverStreaming: Bool?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_FileOptions: Sendable, Hashable {
    public var javaPackage: String {
        get { _javaPackage ?? "" }
        set { _javaPackage = newValue }
    }
    public var hasJavaPackage: Bool { _javaPackage != nil }
    public mutating func clearJavaPackage() { _javaPackage = nil }
    private var _javaPackage: String?
    public var javaOuterClassname: String {
        get { _javaOuterClassname ?? "" }
        set { _javaOuterClassname = newValue }
    }
    public var hasJavaOuterClassname: Bool { _javaOuterClassname != nil }
    public mutating func clearJavaOuterClassname() { _javaOuterClassname = nil }
    private var _javaOuterClassname: String?
    public var javaMultipleFiles: Bool {
        get { _javaMultipleFiles ?? false }
        set { _javaMultipleFiles = newValue }
    }
    public var hasJavaMultipleFiles: Bool { _javaMultipleFiles != nil }
    public mutating func clearJavaMultipleFiles() { _javaMultipleFiles = nil }
    private var _javaMultipleFiles: Bool?
    public var javaGenerateEqualsAndHash: Bool {
        get { _javaGenerateEqualsAndHash ?? false }
        set { _javaGenerateEqualsAndHash = newValue }
    }
    public var hasJavaGenerateEqualsAndHash: Bool { _javaGenerateEqualsAndHash != nil }
    public mutating func clearJavaGenerateEqualsAndHash() { _javaGenerateEqualsAndHash = nil }
    private var _javaGenerateEqualsAndHash: Bool?
    public var javaStringCheckUtf8: Bool {
        get { _javaStringCheckUtf8 ?? false }
        set { _javaStringCheckUtf8 = newValue }
    }
    public var hasJavaStringCheckUtf8: Bool { _javaStringCheckUtf8 != nil }
    public mutating func clearJavaStringCheckUtf8() { _javaStringCheckUtf8 = nil }
    private var _javaStringCheckUtf8: Bool?
    public var optimizeFor: Google_Protobuf_FileOptions.OptimizeMode {
        get { _optimizeFor ?? .speed }
        set { _optimizeFor = newValue }
    }
    public var hasOptimizeFor: Bool { _optimizeFor != nil }
    public mutating func clearOptimizeFor() { _optimizeFor = nil }
    private var _optimizeFor: Google_Protobuf_FileOptions.OptimizeMode?
    public var goPackage: String {
        get { _goPackage ?? "" }
        set { _goPackage = newValue }
    }
    public var hasGoPackage: Bool { _goPackage != nil }
    public mutating func clearGoPackage() { _goPackage = nil }
    private var _goPackage: String?
    public var ccGenericServices: Bool {
        get { _ccGenericServices ?? false }
        set { _ccGenericServices = newValue }
    }
    public var hasCcGenericServices: Bool { _ccGenericServices != nil }
    public mutating func clearCcGenericServices() { _ccGenericServices = nil }
    private var _ccGenericServices: Bool?
    public var javaGenericServices: Bool {
        get { _javaGenericServices ?? false }
        set { _javaGenericServices = newValue }
    }
    public var hasJavaGenericServices: Bool { _javaGenericServices != nil }
    public mutating func clearJavaGenericServices() { _javaGenericServices = nil }
    private var _javaGenericServices: Bool?
    public var pyGenericServices: Bool {
        get { _pyGenericServices ?? false }
        set { _pyGenericServices = newValue }
    }
    public var hasPyGenericServices: Bool { _pyGenericServices != nil }
    public mutating func clearPyGenericServices() { _pyGenericServices = nil }
    private var _pyGenericServices: Bool?
    public var phpGenericServices: Bool {
        get { _phpGenericServices ?? false }
        set { _phpGenericServices = newValue }
    }
    public var hasPhpGenericServices: Bool { _phpGenericServices != nil }
    public mutating func clearPhpGenericServices() { _phpGenericServices = nil }
    private var _phpGenericServices: Bool?
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var ccEnableArenas: Bool {
        get { _ccEnableArenas ?? true }
        set { _ccEnableArenas = newValue }
    }
    public var hasCcEnableArenas: Bool { _ccEnableArenas != nil }
    public mutating func clearCcEnableArenas() { _ccEnableArenas = nil }
    private var _ccEnableArenas: Bool?
    public var objcClassPrefix: String {
        get { _objcClassPrefix ?? "" }
        set { _objcClassPrefix = newValue }
    }
    public var hasObjcClassPrefix: Bool { _objcClassPrefix != nil }
    public mutating func clearObjcClassPrefix() { _objcClassPrefix = nil }
    private var _objcClassPrefix: String?
    public var csharpNamespace: String {
        get { _csharpNamespace ?? "" }
        set { _csharpNamespace = newValue }
    }
    public var hasCsharpNamespace: Bool { _csharpNamespace != nil }
    public mutating func clearCsharpNamespace() { _csharpNamespace = nil }
    private var _csharpNamespace: String?
    public var swiftPrefix: String {
        get { _swiftPrefix ?? "" }
        set { _swiftPrefix = newValue }
    }
    public var hasSwiftPrefix: Bool { _swiftPrefix != nil }
    public mutating func clearSwiftPrefix() { _swiftPrefix = nil }
    private var _swiftPrefix: String?
    public var phpClassPrefix: String {
        get { _phpClassPrefix ?? "" }
        set { _phpClassPrefix = newValue }
    }
    public var hasPhpClassPrefix: Bool { _phpClassPrefix != nil }
    public mutating func clearPhpClassPrefix() { _phpClassPrefix = nil }
    private var _phpClassPrefix: String?
    public var phpNamespace: String {
        get { _phpNamespace ?? "" }
        set { _phpNamespace = newValue }
    }
    public var hasPhpNamespace: Bool { _phpNamespace != nil }
    public mutating func clearPhpNamespace() { _phpNamespace = nil }
    private var _phpNamespace: String?
    public var phpMetadataNamespace: String {
        get { _phpMetadataNamespace ?? "" }
        set { _phpMetadataNamespace = newValue }
    }
    public var hasPhpMetadataNamespace: Bool { _phpMetadataNamespace != nil }
    public mutating func clearPhpMetadataNamespace() { _phpMetadataNamespace = nil }
    private var _phpMetadataNamespace: String?
    public var rubyPackage: String {
        get { _rubyPackage ?? "" }
        set { _rubyPackage = newValue }
    }
    public var hasRubyPackage: Bool { _rubyPackage != nil }
    public mutating func clearRubyPackage() { _rubyPackage = nil }
    private var _rubyPackage: String?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public enum OptimizeMode: Int32, Sendable, Hashable, CaseIterable {
        case speed = 1
        case codeSize = 2
        case liteRuntime = 3
    }
}
public struct Google_Protobuf_MessageOptions: Sendable, Hashable {
    public var messageSetWireFormat: Bool {
        get { _messageSetWireFormat ?? false }
        set { _messageSetWireFormat = newValue }
    }
    public var hasMessageSetWireFormat: Bool { _messageSetWireFormat != nil }
    public mutating func clearMessageSetWireFormat() { _messageSetWireFormat = nil }
    private var _messageSetWireFormat: Bool?
    public var noStandardDescriptorAccessor: Bool {
        get { _noStandardDescriptorAccessor ?? false }
        set { _noStandardDescriptorAccessor = newValue }
    }
    public var hasNoStandardDescriptorAccessor: Bool { _noStandardDescriptorAccessor != nil }
    public mutating func clearNoStandardDescriptorAccessor() { _noStandardDescriptorAccessor = nil }
    private var _noStandardDescriptorAccessor: Bool?
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var mapEntry: Bool {
        get { _mapEntry ?? false }
        set { _mapEntry = newValue }
    }
    public var hasMapEntry: Bool { _mapEntry != nil }
    public mutating func clearMapEntry() { _mapEntry = nil }
    private var _mapEntry: Bool?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_FieldOptions: Sendable, Hashable {
    public var ctype: Google_Protobuf_FieldOptions.CType {
        get { _ctype ?? .string }
        set { _ctype = newValue }
    }
    public var hasCtype: Bool { _ctype != nil }
    public mutating func clearCtype() { _ctype = nil }
    private var _ctype: Google_Protobuf_FieldOptions.CType?
    public var packed: Bool {
        get { _packed ?? false }
        set { _packed = newValue }
    }
    public var hasPacked: Bool { _packed != nil }
    public mutating func clearPacked() { _packed = nil }
    private var _packed: Bool?
    public var jstype: Google_Protobuf_FieldOptions.JSType {
        get { _jstype ?? .jsNormal }
        set { _jstype = newValue }
    }
    public var hasJstype: Bool { _jstype != nil }
    public mutating func clearJstype() { _jstype = nil }
    private var _jstype: Google_Protobuf_FieldOptions.JSType?
    public var lazy: Bool {
        get { _lazy ?? false }
        set { _lazy = newValue }
    }
    public var hasLazy: Bool { _lazy != nil }
    public mutating func clearLazy() { _lazy = nil }
    private var _lazy: Bool?
    public var unverifiedLazy: Bool {
        get { _unverifiedLazy ?? false }
        set { _unverifiedLazy = newValue }
    }
    public var hasUnverifiedLazy: Bool { _unverifiedLazy != nil }
    public mutating func clearUnverifiedLazy() { _unverifiedLazy = nil }
    private var _unverifiedLazy: Bool?
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var weak: Bool {
        get { _weak ?? false }
        set { _weak = newValue }
    }
    public var hasWeak: Bool { _weak != nil }
    public mutating func clearWeak() { _weak = nil }
    private var _weak: Bool?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public enum CType: Int32, Sendable, Hashable, CaseIterable {
        case string = 0
        case cord = 1
        case stringPiece = 2
    }
    public enum JSType: Int32, Sendable, Hashable, CaseIterable {
        case jsNormal = 0
        case jsString = 1
        case jsNumber = 2
    }
}
public struct Google_Protobuf_OneofOptions: Sendable, Hashable {
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_EnumOptions: Sendable, Hashable {
    public var allowAlias: Bool {
        get { _allowAlias ?? false }
        set { _allowAlias = newValue }
    }
    public var hasAllowAlias: Bool { _allowAlias != nil }
    public mutating func clearAllowAlias() { _allowAlias = nil }
    private var _allowAlias: Bool?
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_EnumValueOptions: Sendable, Hashable {
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_ServiceOptions: Sendable, Hashable {
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
}
public struct Google_Protobuf_MethodOptions: Sendable, Hashable {
    public var deprecated: Bool {
        get { _deprecated ?? false }
        set { _deprecated = newValue }
    }
    public var hasDeprecated: Bool { _deprecated != nil }
    public mutating func clearDeprecated() { _deprecated = nil }
    private var _deprecated: Bool?
    public var idempotencyLevel: Google_Protobuf_MethodOptions.IdempotencyLevel {
        get { _idempotencyLevel ?? .idempotencyUnknown }
        set { _idempotencyLevel = newValue }
    }
    public var hasIdempotencyLevel: Bool { _idempotencyLevel != nil }
    public mutating func clearIdempotencyLevel() { _idempotencyLevel = nil }
    private var _idempotencyLevel: Google_Protobuf_MethodOptions.IdempotencyLevel?
    public var uninterpretedOption: [Google_Protobuf_UninterpretedOption] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public enum IdempotencyLevel: Int32, Sendable, Hashable, CaseIterable {
        case idempotencyUnknown = 0
        case noSideEffects = 1
        case idempotent = 2
    }
}
public struct Google_Protobuf_UninterpretedOption: Sendable, Hashable {
    public var name: [Google_Protobuf_UninterpretedOption.NamePart] = []
    public var identifierValue: String {
        get { _identifierValue ?? "" }
        set { _identifierValue = newValue }
    }
    public var hasIdentifierValue: Bool { _identifierValue != nil }
    public mutating func clearIdentifierValue() { _identifierValue = nil }
    private var _identifierValue: String?
    public var positiveIntValue: UInt64 {
        get { _positiveIntValue ?? 0 }
        set { _positiveIntValue = newValue }
    }
    public var hasPositiveIntValue: Bool { _positiveIntValue != nil }
    public mutating func clearPositiveIntValue() { _positiveIntValue = nil }
    private var _positiveIntValue: UInt64?
    public var negativeIntValue: Int64 {
        get { _negativeIntValue ?? 0 }
        set { _negativeIntValue = newValue }
    }
    public var hasNegativeIntValue: Bool { _negativeIntValue != nil }
    public mutating func clearNegativeIntValue() { _negativeIntValue = nil }
    private var _negativeIntValue: Int64?
    public var doubleValue: Double {
        get { _doubleValue ?? 0 }
        set { _doubleValue = newValue }
    }
    public var hasDoubleValue: Bool { _doubleValue != nil }
    public mutating func clearDoubleValue() { _doubleValue = nil }
    private var _doubleValue: Double?
    public var stringValue: [UInt8] {
        get { _stringValue ?? [] }
        set { _stringValue = newValue }
    }
    public var hasStringValue: Bool { _stringValue != nil }
    public mutating func clearStringValue() { _stringValue = nil }
    private var _stringValue: [UInt8]?
    public var aggregateValue: String {
        get { _aggregateValue ?? "" }
        set { _aggregateValue = newValue }
    }
    public var hasAggregateValue: Bool { _aggregateValue != nil }
    public mutating func clearAggregateValue() { _aggregateValue = nil }
    private var _aggregateValue: String?
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public struct NamePart: Sendable, Hashable {
        public var namePart: String {
            get { _namePart ?? "" }
            set { _namePart = newValue }
        }
        public var hasNamePart: Bool { _namePart != nil }
        public mutating func clearNamePart() { _namePart = nil }
        private var _namePart: String?
        public var isExtension: Bool {
            get { _isExtension ?? false }
            set { _isExtension = newValue }
        }
        public var hasIsExtension: Bool { _isExtension != nil }
        public mutating func clearIsExtension() { _isExtension = nil }
        private var _isExtension: Bool?
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
}
public struct Google_Protobuf_SourceCodeInfo: Sendable, Hashable {
    public var location: [Google_Protobuf_SourceCodeInfo.Location] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public struct Location: Sendable, Hashable {
        public var path: [Int32] = []
        public var span: [Int32] = []
        public var leadingComments: String {
            get { _leadingComments ?? "" }
            set { _leadingComments = newValue }
        }
        public var hasLeadingComments: Bool { _leadingComments != nil }
        public mutating func clearLeadingComments() { _leadingComments = nil }
        private var _leadingComments: String?
        public var trailingComments: String {
            get { _trailingComments ?? "" }
            set { _trailingComments = newValue }
        }
        public var hasTrailingComments: Bool { _trailingComments != nil }
        public mutating func clearTrailingComments() { _trailingComments = nil }
        private var _trailingComments: String?
        public var leadingDetachedComments: [String] = []
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
}
public struct Google_Protobuf_GeneratedCodeInfo: Sendable, Hashable {
    public var annotation: [Google_Protobuf_GeneratedCodeInfo.Annotation] = []
    /// Fields this type does not know, in wire form; options of extended types hold custom options here.
    public var unknownFields = UnknownFields()
    public init() {}
    public struct Annotation: Sendable, Hashable {
        public var path: [Int32] = []
        public var sourceFile: String {
            get { _sourceFile ?? "" }
            set { _sourceFile = newValue }
        }
        public var hasSourceFile: Bool { _sourceFile != nil }
        public mutating func clearSourceFile() { _sourceFile = nil }
        private var _sourceFile: String?
        public var begin: Int32 {
            get { _begin ?? 0 }
            set { _begin = newValue }
        }
        public var hasBegin: Bool { _begin != nil }
        public mutating func clearBegin() { _begin = nil }
        private var _begin: Int32?
        public var end: Int32 {
            get { _end ?? 0 }
            set { _end = newValue }
        }
        public var hasEnd: Bool { _end != nil }
        public mutating func clearEnd() { _end = nil }
        private var _end: Int32?
        /// Fields this type does not know, in wire form; options of extended types hold custom options here.
        public var unknownFields = UnknownFields()
        public init() {}
    }
}
