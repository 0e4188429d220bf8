<#
Writes which virtual machine of this Hyper-V host runs which operating system, as JSON.

Run it on the host, in a PowerShell with administrator rights (Windows Server 2012 R2 or later):
    powershell -ExecutionPolicy Bypass -File guests.ps1
    powershell -ExecutionPolicy Bypass -File guests.ps1 -Path D:\logs\guests.json

Start the machines first: a machine that is off, or that does not run the data exchange service,
tells nothing about its system. The script only reads.
#>
param(
    [string] $Path = 'guests.json'
)

$ErrorActionPreference = 'Stop'

# What each guest says about itself: one table of items per machine, by the machine's GUID.
$answers = @{}
$services = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_KvpExchangeComponent'
foreach ($service in $services) {
    $items = @{}
    foreach ($text in $service.GuestIntrinsicExchangeItems) {
        if (-not $text) { continue }
        $xml = New-Object System.Xml.XmlDocument
        $xml.XmlResolver = $null
        try { $xml.LoadXml($text) } catch { continue }
        $key = $xml.SelectSingleNode("/INSTANCE/PROPERTY[@NAME='Name']/VALUE")
        $value = $xml.SelectSingleNode("/INSTANCE/PROPERTY[@NAME='Data']/VALUE")
        if ($key -and $value) { $items[$key.InnerText] = $value.InnerText }
    }
    $answers[$service.SystemName] = $items
}

$taken = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
$guests = @(
    foreach ($vm in Get-VM) {
        $id = $vm.Id.ToString().ToUpperInvariant()
        $items = $answers[$id]
        if (-not $items) { $items = @{} }
        $version = $items['IntegrationServicesVersion']
        if (-not $version) { $version = [string] $vm.IntegrationServicesVersion }
        [pscustomobject] @{
            Name                       = $vm.Name
            Id                         = $id
            HostName                   = $env:COMPUTERNAME
            OSName                     = $items['OSName']
            OSVersion                  = $items['OSVersion']
            IntegrationServicesVersion = $version
            IntegrationServicesState   = [string] $vm.IntegrationServicesState
            Taken                      = $taken
        }
    }
)

$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
$json = ConvertTo-Json -InputObject $guests -Depth 3
[System.IO.File]::WriteAllText($target, $json, (New-Object System.Text.UTF8Encoding $false))
Write-Output "$($guests.Count) machines written to $target"
