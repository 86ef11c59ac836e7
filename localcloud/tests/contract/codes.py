# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which error codes AWS documents for an operation: botocore's model where it has them, a table where it has none (EC2)."""

from __future__ import annotations

from botocore.model import OperationModel

COMMON = frozenset({
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html and its siblings of the other services
    "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "InternalError", "InternalFailure", "InternalServerError", "InvalidAction", "InvalidClientTokenId", "InvalidParameterCombination",
    "InvalidParameterValue", "InvalidQueryParameter", "MalformedQueryString", "MissingAction", "MissingAuthenticationToken",
    "MissingParameter", "NotAuthorized", "OptInRequired", "RequestExpired", "ServiceUnavailable", "SignatureDoesNotMatch", "Throttling",
    "ThrottlingException", "UnauthorizedOperation", "UnknownOperationException", "UnrecognizedClientException", "ValidationError",
    "ValidationException", "SerializationException",
})  # fmt: skip

EC2 = frozenset({
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html: EC2 documents one list for all of its operations
    "AddressLimitExceeded", "Blocked", "DependencyViolation", "DryRunOperation", "EIPAssociationLimitExceeded", "Gateway.NotAttached",
    "IdempotentParameterMismatch", "IncorrectInstanceState", "IncorrectState", "InstanceAlreadyLinked", "InstanceLimitExceeded",
    "InsufficientFreeAddressesInSubnet", "InsufficientInstanceCapacity", "InvalidAMIAttributeItemValue", "InvalidAMIID.Malformed",
    "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidAMIName.Duplicate", "InvalidAddress.NotFound", "InvalidAddressID.NotFound",
    "InvalidAllocationID.NotFound", "InvalidAssociationID.NotFound", "InvalidAttachmentID.NotFound", "InvalidAvailabilityZone",
    "InvalidBlockDeviceMapping", "InvalidCidr.InUse", "InvalidCustomerGatewayID.NotFound", "InvalidDhcpOptionID.NotFound",
    "InvalidDhcpOptionsID.NotFound", "InvalidFilter", "InvalidGatewayID.NotFound", "InvalidGroup.Duplicate", "InvalidGroup.InUse",
    "InvalidGroup.NotFound", "InvalidGroupId.Malformed", "InvalidIPAddress.InUse", "InvalidID", "InvalidInstanceAttributeValue",
    "InvalidInstanceID", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "InvalidInstanceID.NotLinkable",
    "InvalidInstanceType", "InvalidInterface.IpAddressLimitExceeded", "InvalidInternetGatewayID.NotFound",
    "InvalidInternetGatewayId.Malformed", "InvalidKey.Format", "InvalidKeyPair.Duplicate", "InvalidKeyPair.Format",
    "InvalidKeyPair.NotFound", "InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateName.AlreadyExistsException",
    "InvalidLaunchTemplateName.MalformedException",
    "InvalidLaunchTemplateName.NotFoundException", "InvalidNatGatewayID.NotFound", "InvalidNetworkAclID.NotFound",
    "InvalidNetworkInterface.InUse", "InvalidNetworkInterface.NotFound", "InvalidNetworkInterfaceID.NotFound",
    "InvalidNetworkInterfaceId.Malformed", "InvalidOption.Conflict", "InvalidParameter", "InvalidParameterDependency",
    "InvalidPaginationToken", "InvalidPermission.Duplicate", "InvalidPermission.Malformed", "InvalidPermission.NotFound",
    "InvalidRequest", "InvalidResourceType.Unknown", "InvalidRoute.Malformed", "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound",
    "InvalidRouteTableId.Malformed", "InvalidSecurity.RequestHasExpired", "InvalidSecurityGroupID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound", "InvalidSnapshot.NotFound", "InvalidSpotInstanceRequestID.NotFound", "InvalidState",
    "InvalidSubnet", "InvalidSubnet.Conflict", "InvalidSubnet.Range", "InvalidSubnetID.NotFound", "InvalidTagKey.Malformed",
    "InvalidUserID.Malformed", "InvalidUserData.Malformed", "InvalidVolume.NotFound", "InvalidVpc.Range", "InvalidVpcID.Malformed",
    "InvalidVpcID.NotFound", "InvalidVpcEndpointId.NotFound", "InvalidVpcState", "InvalidZone.NotFound", "MaxIOPSLimitExceeded",
    "MissingInput", "NatGatewayLimitExceeded", "NatGatewayMalformed", "NatGatewayNotFound", "NetworkAclEntryAlreadyExists", "NoSuchVersion",
    "OperationNotPermitted", "PrivateIpAddressLimitExceeded", "RequestLimitExceeded", "Resource.AlreadyAssociated", "ResourceAlreadyExists",
    "ResourceCountExceeded", "ResourceLimitExceeded", "RouteAlreadyExists", "RouteLimitExceeded", "RouteTableLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded", "SecurityGroupLimitExceeded", "SecurityGroupsPerInstanceLimitExceeded", "SubnetLimitExceeded",
    "TagLimitExceeded", "UnavailableHostRequirements", "UnknownParameter", "UnknownPrincipalType.Unsupported", "Unsupported",
    "UnsupportedHibernationConfiguration", "UnsupportedOperation", "VcpuLimitExceeded", "VpcLimitExceeded",
})  # fmt: skip


ALSO_DOCUMENTED = {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html; the model has lost it
    ("cloudwatch", "DeleteDashboards"): frozenset({"DashboardNotFoundError"}),
}
"""(service, operation) -> codes that its API reference has and its model has not."""


def documented(operation: OperationModel) -> frozenset[str]:
    """Every code that a client of this operation has to expect."""
    own = {shape.metadata.get("error", {}).get("code", shape.name) for shape in operation.error_shapes}
    own |= {shape.name for shape in operation.error_shapes} if operation.service_model.resolved_protocol != "query" else set()
    own |= ALSO_DOCUMENTED.get((operation.service_model.service_name, operation.name), frozenset())
    return COMMON | own | (EC2 if operation.service_model.service_name == "ec2" else frozenset())
