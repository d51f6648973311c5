"""The properties of XMP that a receipt names, by their namespace. All others could say anything.

Namespaces with few or none listed hold many settings at once, or nothing that says more than their prefix does.
"""

_LISTED = {
    ("dc", "http://purl.org/dc/elements/1.1/"): (
        "contributor coverage creator date description format identifier language publisher relation rights source"
        " subject title type"
    ),
    ("xmp", "http://ns.adobe.com/xap/1.0/"): (
        "Author BaseURL CreateDate CreatorTool Description Format Identifier Keywords Label MetadataDate ModifyDate"
        " Nickname Rating Thumbnails Title"
    ),
    ("xmpRights", "http://ns.adobe.com/xap/1.0/rights/"): "Certificate Marked Owner UsageTerms WebStatement",
    ("xmpMM", "http://ns.adobe.com/xap/1.0/mm/"): (
        "DerivedFrom DocumentID History Ingredients InstanceID ManagedFrom Manager OriginalDocumentID Pantry"
        " PreservedFileName RenditionOf Versions"
    ),
    ("xmpBJ", "http://ns.adobe.com/xap/1.0/bj/"): "JobRef",
    ("xmpNote", "http://ns.adobe.com/xmp/note/"): "HasExtendedXMP",
    ("photoshop", "http://ns.adobe.com/photoshop/1.0/"): (
        "AuthorsPosition CaptionWriter Category City ColorMode Country Credit DateCreated DocumentAncestors Headline"
        " History ICCProfile Instructions LegacyIPTCDigest SidecarForExtension Source State SupplementalCategories"
        " TextLayers TransmissionReference Urgency"
    ),
    ("lr", "http://ns.adobe.com/lightroom/1.0/"): "hierarchicalSubject privateRTKInfo weightedFlatSubject",
    ("tiff", "http://ns.adobe.com/tiff/1.0/"): (
        "Artist BitsPerSample Compression Copyright DateTime ImageDescription ImageLength ImageWidth Make Model"
        " NativeDigest Orientation PhotometricInterpretation PlanarConfiguration PrimaryChromaticities"
        " ReferenceBlackWhite ResolutionUnit SamplesPerPixel Software TransferFunction WhitePoint XResolution"
        " YCbCrCoefficients YCbCrPositioning YCbCrSubSampling YResolution"
    ),
    ("exif", "http://ns.adobe.com/exif/1.0/"): (
        "ApertureValue BrightnessValue CFAPattern ColorSpace ComponentsConfiguration CompressedBitsPerPixel Contrast"
        " CustomRendered DateTimeDigitized DateTimeOriginal DeviceSettingDescription DigitalZoomRatio ExifVersion"
        " ExposureBiasValue ExposureIndex ExposureMode ExposureProgram ExposureTime FNumber FileSource Flash"
        " FlashEnergy FlashpixVersion FocalLength FocalLengthIn35mmFilm FocalPlaneResolutionUnit"
        " FocalPlaneXResolution FocalPlaneYResolution GPSAltitude GPSAltitudeRef GPSAreaInformation GPSDOP"
        " GPSDateStamp GPSDestBearing GPSDestBearingRef GPSDestDistance GPSDestDistanceRef GPSDestLatitude"
        " GPSDestLongitude GPSDifferential GPSHPositioningError GPSImgDirection GPSImgDirectionRef GPSLatitude"
        " GPSLongitude GPSMapDatum GPSMeasureMode GPSProcessingMethod GPSSatellites GPSSpeed GPSSpeedRef GPSStatus"
        " GPSTimeStamp GPSTrack GPSTrackRef GPSVersionID GainControl ISOSpeedRatings ImageUniqueID LightSource"
        " MakerNote MaxApertureValue MeteringMode NativeDigest OECF PixelXDimension PixelYDimension RelatedSoundFile"
        " Saturation SceneCaptureType SceneType SensingMethod Sharpness ShutterSpeedValue SpatialFrequencyResponse"
        " SpectralSensitivity SubjectArea SubjectDistance SubjectDistanceRange SubjectLocation UserComment"
        " WhiteBalance"
    ),
    ("exifEX", "http://cipa.jp/exif/1.0/"): (
        "BodySerialNumber CameraOwnerName Gamma ISOSpeed InteroperabilityIndex LensMake LensModel LensSerialNumber"
        " LensSpecification OwnerName PhotographicSensitivity RecommendedExposureIndex SensitivityType SerialNumber"
        " StandardOutputSensitivity"
    ),
    ("aux", "http://ns.adobe.com/exif/1.0/aux/"): (
        "ApproximateFocusDistance DistortionCorrectionAlreadyApplied Firmware FlashCompensation ImageNumber"
        " LateralChromaticAberrationCorrectionAlreadyApplied Lens LensID LensInfo LensSerialNumber OwnerName"
        " SerialNumber VignetteCorrectionAlreadyApplied"
    ),
    ("Iptc4xmpCore", "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"): (
        "AltTextAccessibility CountryCode CreatorContactInfo ExtDescrAccessibility IntellectualGenre Location Scene"
        " SubjectCode"
    ),
    ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"): (
        "AddlModelInfo ArtworkOrObject CVterm Contributor DigImageGUID DigitalSourceType Event EventId Genre"
        " ImageRegion LocationCreated LocationShown ModelAge OrganisationInImageCode OrganisationInImageName"
        " PersonInImage PersonInImageWDetails ProductInImage RegistryId"
    ),
    # As misspelt by programs that wrote before the standard was out.
    ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-19/"): "DigitalSourceType",
    ("dcterms", "http://purl.org/dc/terms/"): "provenance",
    ("plus", "http://ns.useplus.org/ldf/xmp/1.0/"): (
        "CopyrightOwner DataMining ImageCreator ImageSupplier ImageSupplierImageID Licensee Licensor"
        " MinorModelAgeDisclosure ModelReleaseID ModelReleaseStatus OtherConditions PropertyReleaseID"
        " PropertyReleaseStatus"
    ),
    ("cc", "http://creativecommons.org/ns#"): "attributionName attributionURL license morePermissions useGuidelines",
    ("mwg-rs", "http://www.metadataworkinggroup.com/schemas/regions/"): "Regions",
    ("MP", "http://ns.microsoft.com/photo/1.2/"): "RegionInfo",
    ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0"): "",
    ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0/"): (
        "CameraSerialNumber DateAcquired LastKeywordIPTC LastKeywordXMP LensModel Rating"
    ),
    ("GPano", "http://ns.google.com/photos/1.0/panorama/"): "",
    ("GCamera", "http://ns.google.com/photos/1.0/camera/"): "MicroVideo MotionPhoto SpecialTypeID",
    ("Container", "http://ns.google.com/photos/1.0/container/"): "Directory",
    ("GAudio", "http://ns.google.com/photos/1.0/audio/"): "Data",
    ("GDepth", "http://ns.google.com/photos/1.0/depthmap/"): "Data",
    ("GImage", "http://ns.google.com/photos/1.0/image/"): "Data",
    ("hdrgm", "http://ns.adobe.com/hdr-gain-map/1.0/"): "",
    ("HDRGainMap", "http://ns.apple.com/HDRGainMap/1.0/"): "",
    ("apple-fi", "http://ns.apple.com/faceinfo/1.0/"): "Regions",
    ("aas", "http://ns.apple.com/adjustment-settings/1.0/"): "",
    ("drone-dji", "http://www.dji.com/drone-dji/1.0/"): (
        "AbsoluteAltitude CameraSerialNumber DroneSerialNumber GpsLatitude GpsLongitude GpsLongtitude RelativeAltitude"
    ),
    ("FLIR", "http://ns.flir.com/xmp/1.0/"): "",
    ("Camera", "http://pix4d.com/camera/1.0/"): "",
    ("crs", "http://ns.adobe.com/camera-raw-settings/1.0/"): "RawFileName",
    ("crss", "http://ns.adobe.com/camera-raw-saved-settings/1.0/"): "",
    ("acdsee", "http://ns.acdsee.com/iptc/1.0/"): "",
    ("digiKam", "http://www.digikam.org/ns/1.0/"): "TagsList",
    ("expressionmedia", "http://ns.microsoft.com/expressionmedia/1.0/"): "",
    ("creatorAtom", "http://ns.adobe.com/creatorAtom/1.0/"): "",
    ("album", "http://ns.adobe.com/album/1.0/"): "",
    ("pdf", "http://ns.adobe.com/pdf/1.3/"): "",
    ("prism", "http://prismstandard.org/namespaces/basic/2.0/"): "",
    ("xmpDM", "http://ns.adobe.com/xmp/1.0/DynamicMedia/"): "",
    ("xmpTPg", "http://ns.adobe.com/xap/1.0/t/pg/"): "",
}
#: By namespace: its usual prefix, and the properties listed.
PROPERTIES = {uri: (prefix, frozenset(listed.split())) for (prefix, uri), listed in _LISTED.items()}


def known(namespace: str) -> tuple[str, frozenset[str]]:
    """The usual prefix of a namespace and the properties listed. A slash too many or too few is forgiven."""
    other = namespace.removesuffix("/") if namespace.endswith("/") else f"{namespace}/"
    return PROPERTIES.get(namespace) or PROPERTIES.get(other) or ("other", frozenset())
